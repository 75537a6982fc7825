import '@fontsource-variable/inter/index.css';
import '../styles/tokens.css';
import '../styles/base.css';
import '../styles/floating.css';
import { mount } from 'svelte';
import { connectHost } from '../client/connect.ts';
import App from './App.svelte';

/** Draws the workbench into the page. */
export function start(): void {
  const target = document.getElementById('app');
  if (target !== null) mount(App, { target, props: { host: connectHost() } });
}

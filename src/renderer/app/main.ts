import '@fontsource-variable/inter/index.css';
import '../styles/tokens.css';
import '../styles/base.css';
import '../styles/floating.css';
import { mount } from 'svelte';
import { z } from 'zod';
import { connectHost } from '../client/connect.ts';
import App from './App.svelte';

// The page's content security policy forbids code made from text.
z.config({ jitless: true });

const target = document.getElementById('app');
if (target !== null) mount(App, { target, props: { host: connectHost() } });

/** Colours of figures: the same values as the design tokens of the interface, by meaning. */
interface FigureColours {
  readonly canvas: string;
  readonly sunken: string;
  readonly track: string;
  /** Grid lines, from the faintest. */
  readonly line: string;
  readonly hairline: string;
  readonly border: string;
  /** Edges that must be seen (3:1). */
  readonly edge: string;
  readonly faint: string;
  readonly muted: string;
  readonly text: string;
  readonly title: string;
  /** Selected, running. */
  readonly accent: string;
  readonly accentSoft: string;
  readonly accentText: string;
  /** Blue: clean, towards clean; orange: corrupted, away from clean. */
  readonly clean: string;
  readonly corrupted: string;
  readonly cleanLine: string;
  readonly bad: string;
  readonly badSoft: string;
  readonly warn: string;
  readonly warnSoft: string;
  readonly hatch: string;
  /** Okabe-Ito in fixed order; always with a second channel (shape, dash, label). */
  readonly categories: readonly string[];
  /** Diverging, 21 steps from −domain over zero to +domain, and the text that passes on each. */
  readonly fills: readonly string[];
  readonly inks: readonly string[];
}

/** A figure's colours and type; sizes in pixels of 1/96 inch. */
export interface FigureTheme extends FigureColours {
  readonly name: 'light' | 'dark';
  readonly font: string;
  /** Axis labels, values in cells, headings. */
  readonly sizes: { readonly axis: number; readonly value: number; readonly heading: number };
}

const LIGHT: FigureColours = {
  canvas: '#fffefe',
  sunken: '#f3f6f8',
  track: '#edf1f3',
  line: '#e5e9ec',
  hairline: '#dbe0e4',
  border: '#cbd0d4',
  edge: '#848a8e',
  faint: '#656d72',
  muted: '#535b60',
  text: '#282f33',
  title: '#151a1e',
  accent: '#036b70',
  accentSoft: '#ddf2f3',
  accentText: '#04585c',
  clean: '#065da0',
  corrupted: '#a24100',
  cleanLine: '#8bbcef',
  bad: '#ac1a1c',
  badSoft: '#ffebe8',
  warn: '#835003',
  warnSoft: '#feeddb',
  hatch: '#848a8e',
  categories: ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#f0e442', '#151a1e'],
  fills: [
    '#882802',
    '#9e3501',
    '#b34403',
    '#c75512',
    '#d56a2e',
    '#e18149',
    '#ea9867',
    '#f0b086',
    '#f4c7a9',
    '#f7decd',
    '#f3f6f8',
    '#d5e5fc',
    '#b6d4fd',
    '#98c3fc',
    '#7ab2f8',
    '#5da0f1',
    '#408fe6',
    '#207ed8',
    '#036dc2',
    '#045ea6',
    '#014f8b',
  ],
  inks: [
    '#ffffff',
    '#ffffff',
    '#ffffff',
    '#000000',
    '#151a1e',
    '#151a1e',
    '#151a1e',
    '#151a1e',
    '#151a1e',
    '#151a1e',
    '#151a1e',
    '#151a1e',
    '#151a1e',
    '#151a1e',
    '#151a1e',
    '#151a1e',
    '#151a1e',
    '#000000',
    '#ffffff',
    '#ffffff',
    '#ffffff',
  ],
};

const DARK: FigureColours = {
  canvas: '#0e1214',
  sunken: '#171c1f',
  track: '#1c2125',
  line: '#23292c',
  hairline: '#2b3136',
  border: '#3b4247',
  edge: '#687075',
  faint: '#858d92',
  muted: '#9da4a9',
  text: '#d5dadd',
  title: '#eceff1',
  accent: '#65cbca',
  accentSoft: '#133132',
  accentText: '#88e0df',
  clean: '#7fbef3',
  corrupted: '#f5a574',
  cleanLine: '#32618e',
  bad: '#fe9c91',
  badSoft: '#3c221f',
  warn: '#f1aa57',
  warnSoft: '#372613',
  hatch: '#687075',
  categories: ['#4ba3dc', '#e69f00', '#2bbd92', '#d990b8', '#56b4e9', '#ec7a35', '#f0e442', '#eceff1'],
  fills: [
    '#fe9b7c',
    '#f88258',
    '#e57342',
    '#d0652f',
    '#b95920',
    '#a14e17',
    '#884515',
    '#6f3d18',
    '#56341c',
    '#3d2c1e',
    '#1f2427',
    '#253041',
    '#273e5d',
    '#294c79',
    '#2b5b95',
    '#2d6ab0',
    '#317ac9',
    '#398ae0',
    '#449bf4',
    '#5dadff',
    '#80beff',
  ],
  inks: [
    '#0e1214',
    '#0e1214',
    '#0e1214',
    '#0e1214',
    '#ffffff',
    '#eceff1',
    '#eceff1',
    '#eceff1',
    '#eceff1',
    '#eceff1',
    '#eceff1',
    '#eceff1',
    '#eceff1',
    '#eceff1',
    '#eceff1',
    '#eceff1',
    '#000000',
    '#0e1214',
    '#0e1214',
    '#0e1214',
    '#0e1214',
  ],
};

const COLOURS: Readonly<Record<FigureTheme['name'], FigureColours>> = { light: LIGHT, dark: DARK };

const SCREEN_FONT =
  "'Inter Variable', Inter, 'Segoe UI', system-ui, 'Noto Sans', 'Liberation Sans', sans-serif";
const PRINT_FONT = "Inter, Arial, 'Liberation Sans', Helvetica, sans-serif";

/** Pixels of 1/96 inch in one point, and in one millimetre. */
export const PX_PER_PT = 96 / 72;
export const PX_PER_MM = 96 / 25.4;

/** Rounded to a hundredth: renderers read no longer numbers. */
const points = (pt: number): number => Math.round(pt * PX_PER_PT * 100) / 100;

/** `screen`: the interface's type; `print`: Inter (Arial where it is missing) at 7 points (6.5 on axes), true at the exported width. */
export function figureTheme(name: FigureTheme['name'], medium: 'screen' | 'print' = 'screen'): FigureTheme {
  const type =
    medium === 'screen'
      ? { font: SCREEN_FONT, sizes: { axis: 10.5, value: 11.5, heading: 12.5 } }
      : {
          font: PRINT_FONT,
          sizes: { axis: points(6.5), value: points(7), heading: points(8) },
        };
  return { name, ...COLOURS[name], ...type };
}

/** Steps on each side of zero. */
const ARM = 10;

/** Fill and text colour of an effect on a symmetric domain; beyond it the end colour. */
export function divergingStep(
  theme: FigureTheme,
  value: number,
  domain: number,
): { fill: string; ink: string } {
  const step = Math.round(Math.max(-1, Math.min(1, value / domain)) * ARM) + ARM;
  return { fill: theme.fills[step] ?? theme.sunken, ink: theme.inks[step] ?? theme.title };
}

/** Fill and text colour of a share from 0 to 1: the positive arm of the diverging scale. */
export function sequentialStep(theme: FigureTheme, value: number): { fill: string; ink: string } {
  return divergingStep(theme, Math.max(0, value), 1);
}

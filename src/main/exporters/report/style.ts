/** The report's only style sheet: a page for reading and print, in the colours of the figures. */
export const REPORT_STYLE = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #fffefe; color: #282f33; font: 15px/1.55 'Source Serif 4', 'Iowan Old Style', Charter, Georgia, 'Times New Roman', serif; }
main { max-width: 46rem; margin: 0 auto; padding: 3rem 2.75rem 5rem; counter-reset: section figure; }
h1, h2, h3 { color: #151a1e; }
h1 { font-size: 1.9rem; line-height: 1.2; font-weight: 620; margin: 0 0 .4rem; }
section { counter-increment: section; }
h2 { font-size: 1.2rem; line-height: 1.4; font-weight: 620; margin: 2.6rem 0 .5rem; }
h2::before { content: counter(section) '\\2002'; }
h3 { font-size: 1rem; font-weight: 620; margin: 1.8rem 0 .4rem; }
p { margin: .6rem 0; }
.meta { color: #535b60; font-size: .82rem; }
figure { margin: 1.4rem 0; counter-increment: figure; }
figure svg { display: block; width: 100%; height: auto; }
figcaption { font-size: .86rem; color: #3d4449; margin-top: .5rem; line-height: 1.4; }
figcaption::before { content: 'Figure ' counter(figure) '. '; font-weight: 620; color: #151a1e; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; line-height: 1.45; font-variant-numeric: tabular-nums lining-nums; margin: .8rem 0; border: solid #23282c; border-width: 1.5px 0; }
caption { text-align: left; color: #3d4449; padding-bottom: .35rem; }
th { text-align: left; font-weight: 400; font-style: italic; color: #3d4449; border-bottom: 1px solid #23282c; padding: .25rem .6rem .25rem 0; vertical-align: bottom; }
td { padding: .18rem .6rem .18rem 0; vertical-align: top; overflow-wrap: anywhere; }
td:first-child { overflow-wrap: normal; }
td.n, th.n { text-align: right; }
.wide { overflow-x: auto; }
details { margin: .6rem 0; }
summary { cursor: pointer; font-size: .8rem; color: #04585c; }
.flag { background: #feeddb; color: #5c3802; border-left: 3px solid #835003; padding: .5rem .8rem; margin: .5rem 0; font-size: .84rem; line-height: 1.45; }
code { font: .85em ui-monospace, 'Cascadia Mono', 'DejaVu Sans Mono', monospace; }
@media print { main { max-width: none; padding: 0; } h2 { break-after: avoid; } figure, tr { break-inside: avoid; } details { display: none; } }
`;

/** The report's only style sheet: a page for reading and print, in the colours of the figures. */
export const REPORT_STYLE = `
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; background: #fffefe; color: #282f33; font: 16px/1.6 'Source Serif 4', 'Iowan Old Style', Charter, Georgia, 'Times New Roman', serif; }
main { max-width: 46rem; margin: 0 auto; padding: 3rem 1.5rem 5rem; }
h1, h2, h3, th, figcaption, .meta, .flag { font-family: Inter, 'Segoe UI', system-ui, 'Liberation Sans', sans-serif; color: #151a1e; }
h1 { font-size: 1.9rem; line-height: 1.2; font-weight: 620; margin: 0 0 .4rem; }
h2 { font-size: 1.15rem; font-weight: 620; margin: 2.8rem 0 .6rem; padding-top: .9rem; border-top: 1px solid #dbe0e4; }
h3 { font-size: .95rem; font-weight: 620; margin: 1.8rem 0 .4rem; }
p { margin: .6rem 0; }
.meta { color: #535b60; font-size: .82rem; }
figure { margin: 1.4rem 0; }
figure svg { display: block; width: 100%; height: auto; }
figcaption { font-size: .8rem; color: #535b60; margin-top: .5rem; line-height: 1.45; }
table { border-collapse: collapse; width: 100%; font: .8rem/1.45 Inter, 'Segoe UI', system-ui, 'Liberation Sans', sans-serif; font-variant-numeric: tabular-nums; margin: .8rem 0; }
caption { text-align: left; color: #535b60; padding-bottom: .35rem; }
th { text-align: left; font-weight: 600; border-bottom: 1px solid #cbd0d4; padding: .25rem .6rem .25rem 0; vertical-align: bottom; }
td { border-bottom: 1px solid #e5e9ec; padding: .22rem .6rem .22rem 0; vertical-align: top; overflow-wrap: anywhere; }
td.n, th.n { text-align: right; }
.wide { overflow-x: auto; }
details { margin: .6rem 0; }
summary { cursor: pointer; font: .8rem/1.5 Inter, 'Segoe UI', system-ui, sans-serif; color: #04585c; }
.flag { background: #feeddb; color: #5c3802; border-left: 3px solid #835003; padding: .5rem .8rem; margin: .5rem 0; font-size: .84rem; line-height: 1.45; }
code { font: .85em ui-monospace, 'Cascadia Mono', 'DejaVu Sans Mono', monospace; }
@media print { main { max-width: none; padding: 0; } h2 { break-after: avoid; } figure, tr { break-inside: avoid; } details { display: none; } }
`;

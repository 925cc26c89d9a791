/** What the live page has and the report has not: progress, news, and whether the run is still heard of. */
export const liveStyle = `
.status.training,.status.preparing{color:var(--accent)}
.status.stopped,.status.failed{color:var(--bad)}
header{position:relative}
.connection{position:absolute;right:20px;top:28px;display:flex;gap:7px;align-items:center;color:var(--muted);font-size:13px}
.connection span:empty{display:none}
.connection i{width:9px;height:9px;border-radius:50%;background:var(--muted)}
.connection[data-state=live] i{background:var(--good);animation:pulse 2s ease-in-out infinite}
.connection[data-state=lost] i{background:var(--bad)}
@keyframes pulse{50%{opacity:.35}}
@media (prefers-reduced-motion:reduce){.connection i{animation:none!important}}
.card{background:var(--card);border:1px solid var(--rule);border-radius:10px;padding:14px 18px;margin:10px 0}
.card h3{margin-bottom:6px}
.failure{border-color:var(--bad);border-left:4px solid var(--bad)}
.failure pre{margin:0;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
.warned{border-left:4px solid var(--bad)}
.copied{margin-top:6px}
code{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
button{font:inherit;font-size:13px;color:var(--accent);background:none;border:1px solid var(--rule);border-radius:6px;padding:1px 9px;cursor:pointer}
button:hover{border-color:currentColor}
.stages{list-style:none;margin:0;padding:0;display:grid;grid-template-columns:max-content minmax(0,1fr) max-content;column-gap:14px}
.stages li{display:grid;grid-column:1/-1;grid-template-columns:subgrid;align-items:center;padding:3px 0}
.stages .share{text-align:right}
progress{appearance:none;-webkit-appearance:none;width:100%;height:10px;border:0;border-radius:5px;overflow:hidden;background:var(--rule);color:var(--accent)}
progress::-webkit-progress-bar{background:var(--rule)}
progress::-webkit-progress-value{background:var(--accent);border-radius:5px}
progress::-moz-progress-bar{background:var(--accent);border-radius:5px}
.numbers{display:grid;grid-template-columns:repeat(auto-fit,minmax(128px,1fr));gap:10px 18px;margin-top:12px}
.numbers dt{font-size:13px}
.numbers dd{font-size:17px;font-weight:600}
[data-part=tiles]:not(:empty){margin:-30px 0 44px}
@media (max-width:560px){
.connection{position:static;padding-top:14px}
header{padding-top:0}
.card{padding:12px 14px}
.stages progress{grid-column:1/-1;grid-row:2}
.stages .share{grid-column:3;grid-row:1}
.numbers{grid-template-columns:1fr 1fr}
}
@media print{.connection,button{display:none}}
`;

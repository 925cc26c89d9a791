/** The look of the report: one column of cards, from a phone to a desk, by day, by night and on paper. */
import {cssVariables, dark, light} from './palette.js';

export const style = `
:root{${cssVariables(light)};color-scheme:light dark}
@media screen and (prefers-color-scheme:dark){:root{${cssVariables(dark)}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:break-word}
main,header,footer{max-width:1160px;margin:0 auto;padding:0 20px}
header{padding-top:28px}
h1{font-size:27px;line-height:1.2;margin:2px 0 6px;letter-spacing:-.015em}
h2{font-size:19px;margin:0 0 4px;letter-spacing:-.01em}
h3{font-size:14px;margin:0 0 8px}
p{margin:0}
a{color:var(--accent)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.brand{color:var(--muted);font-size:13px;display:flex;gap:10px;align-items:center;flex-wrap:wrap}
.status{border:1px solid currentColor;border-radius:99px;padding:0 9px;font-weight:600;color:var(--muted)}
.status.finished{color:var(--good)}
.status.aborted{color:var(--bad)}
.facts-line{color:var(--muted)}
nav{display:flex;flex-wrap:wrap;gap:4px 18px;margin:14px 0 18px;padding:10px 0;border-block:1px solid var(--rule);font-size:14px}
nav a{text-decoration:none}
nav a:hover{text-decoration:underline}
section{margin:0 0 44px;scroll-margin-top:12px}
.lead{color:var(--muted);max-width:78ch;margin:0 0 14px}
.key,.remark{color:var(--muted);font-size:13px;margin:8px 0 0}
.none{color:var(--muted);font-style:italic}
.aloud{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.verdict,.chart,.tile,.sample,.group,.facts,details,.table{background:var(--card);border:1px solid var(--rule);border-radius:10px}
.verdict{padding:16px 20px;margin-bottom:14px;display:grid;grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:12px 32px}
.verdict ul{margin:0;padding-left:1.15em}
.verdict li{margin:2px 0}
.caution{color:var(--muted);font-size:14px;border-left:1px solid var(--rule);padding-left:24px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(158px,1fr));gap:12px}
.tile{padding:12px 14px 0;border-top:3px solid var(--tile);display:flex;flex-direction:column;overflow:hidden}
.tile .name{color:var(--muted);font-size:13px}
.tile .now{font-size:27px;font-weight:650;line-height:1.25;letter-spacing:-.02em}
.tile .was{font-size:13px;color:var(--muted);display:flex;flex-wrap:wrap;gap:0 8px;padding-bottom:8px}
.tile .was .delta{white-space:nowrap}
.spark{display:block;width:calc(100% + 28px);height:34px;margin:auto -14px 0}
.spark path{fill:none;stroke:var(--tile);stroke-width:1.75;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.better{color:var(--good)}
.worse{color:var(--bad)}
.better,.worse,.same{white-space:nowrap}
.better>span:first-child,.worse>span:first-child{font-size:.72em;vertical-align:.1em}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,330px),1fr));gap:14px;margin-top:10px}
.charts.wide{grid-template-columns:minmax(0,1fr)}
.chart{margin:0;padding:12px 14px 12px 8px;min-width:0}
.chart figcaption{display:flex;justify-content:space-between;gap:12px;align-items:baseline;padding:0 0 8px 8px;font-size:14px}
.chart .name{font-weight:600}
.chart .latest{color:var(--muted);white-space:nowrap}
.frame{display:grid;grid-template-columns:46px minmax(0,1fr);row-gap:8px}
.plot,.heat{position:relative}
.plot{height:190px}
.wide .plot{height:270px}
.pairs .plot{height:110px}
.plot svg,.heat svg{position:absolute;inset:0;width:100%;height:100%;overflow:visible}
.axis-y,.axis-x{position:relative;color:var(--muted);font-size:11.5px;line-height:1}
.axis-y span{position:absolute;right:7px;transform:translateY(-50%);white-space:nowrap}
.axis-x{height:14px}
.axis-name{text-align:right;padding-right:7px;color:var(--muted);font-size:11.5px;line-height:1}
.axis-x span{position:absolute;transform:translateX(-50%)}
.axis-x .start{transform:none}
.axis-x .end{transform:translateX(-100%)}
.plot path,.legend path{fill:none;vector-effect:non-scaling-stroke}
.grid{stroke:var(--rule);stroke-width:1}
.line{stroke-width:1.75;stroke-linejoin:round;stroke-linecap:round;transition:opacity .12s}
.line.main{stroke-width:2.25}
.line.faint{stroke-width:1;opacity:.32}
.dots{stroke-width:5;stroke-linecap:round;transition:opacity .12s}
.plot .band{opacity:.18;stroke:none}
.level{stroke:var(--muted);stroke-width:1;stroke-dasharray:3 4}
.level-label{position:absolute;right:2px;transform:translateY(-105%);font-size:11px;color:var(--muted);line-height:1.2}
.heat{border-radius:3px;overflow:hidden;background:var(--page)}
.heat .above{fill:var(--s0)}
.heat .below{fill:var(--s1)}
.heat rect{stroke:var(--card);stroke-width:.75;vector-effect:non-scaling-stroke}
.ramp{display:inline-block;width:64px;height:10px;border-radius:2px;margin:0 2px}
.ramp.above{background:linear-gradient(90deg,var(--page),var(--s0))}
.ramp.below{background:linear-gradient(90deg,var(--page),var(--s1))}
.legend{list-style:none;margin:10px 0 0;padding:0 0 0 8px;display:flex;flex-wrap:wrap;gap:2px 16px;font-size:13px}
.legend li{cursor:default}
.legend path{stroke-width:2.5}
.bars{padding-right:14px}
.bar{display:grid;grid-template-columns:minmax(64px,22%) minmax(0,1fr) 64px;gap:10px;align-items:center;padding:3px 0 3px 8px;font-size:13px}
.bar-name{overflow-wrap:anywhere}
.bar-label{text-align:right}
.track{position:relative;height:18px;background:var(--page);border-radius:3px}
.track i{position:absolute}
.fill{top:3px;bottom:3px;border-radius:2px;opacity:.75;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.dot{top:50%;width:7px;height:7px;margin:-3.5px 0 0 -3.5px;border-radius:50%;background:var(--card);border:1.5px solid var(--ink)}
.intervals .bar{grid-template-columns:minmax(64px,14%) minmax(0,1fr) 132px}
.span{height:3px;margin-top:-1.5px;border-radius:2px;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.mark{top:0;bottom:0;width:0;border-left:1px dashed var(--muted)}
.cross{position:absolute;top:0;bottom:0;width:0;border-left:1px solid var(--muted);display:none;pointer-events:none}
.tip{position:fixed;z-index:2;pointer-events:none;background:var(--card);border:1px solid var(--rule);box-shadow:0 4px 16px #00000038;border-radius:8px;padding:7px 11px;font-size:12.5px;line-height:1.45;display:none;max-width:min(300px,90vw)}
.tip i{display:inline-block;width:9px;height:9px;border-radius:50%;margin-right:6px}
.table{margin:14px 0 0;overflow:hidden;min-width:0}
.table figcaption{color:var(--muted);font-size:13px;padding:10px 14px 2px}
.scroll{position:relative;overflow-x:auto;background:linear-gradient(90deg,var(--card) 40%,transparent) 0/28px 100% local no-repeat,linear-gradient(270deg,var(--card) 40%,transparent) 100%/28px 100% local no-repeat,linear-gradient(90deg,var(--shade),transparent) 0/12px 100% no-repeat,linear-gradient(270deg,var(--shade),transparent) 100%/12px 100% no-repeat}
.pair-of-tables{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));column-gap:14px;align-items:start}
.before{color:var(--muted)}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{padding:5px 14px;text-align:left;border-top:1px solid var(--rule);white-space:nowrap}
thead th{color:var(--muted);font-weight:500;font-size:13px;border-top:0;vertical-align:bottom;white-space:normal}
tbody th{font-weight:500}
th.n,td.n{text-align:right}
abbr{text-decoration:none;cursor:help;color:var(--bad)}
details{margin-top:12px;padding:0 14px}
details+details{margin-top:6px}
summary{cursor:pointer;padding:9px 0;font-weight:500}
details>:last-child{margin-bottom:12px}
details .table{border:0;margin:0 -14px}
details .remark{margin:2px 0 12px}
.samples{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,480px),1fr));gap:14px}
.sample{padding:14px 18px}
.sample details{border-width:1px 0 0;border-radius:0;padding:0;margin:10px 0 -10px}
dl{margin:0}
.sample dl div{display:grid;grid-template-columns:84px minmax(0,1fr);gap:10px;padding:3px 0}
dt{color:var(--muted)}
dd{margin:0;min-width:0}
dd bdi{display:block;white-space:pre-wrap}
.sample .model dd{font-weight:600}
.settings{columns:3 320px;column-gap:14px;margin-top:10px}
.group{break-inside:avoid;padding:12px 16px;margin-bottom:14px}
.group dl div,.facts div{display:flex;justify-content:space-between;gap:14px;padding:3px 0;border-top:1px solid var(--rule)}
.group dl div:first-child{border-top:0}
.group dt,.facts dt{flex:none;max-width:55%}
.group dd,.facts dd{text-align:right;overflow-wrap:anywhere}
.group dt{max-width:66%}
.group dd{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:13px}
.facts{padding:6px 16px;margin-top:10px;display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,330px),1fr));column-gap:36px}
.facts div{border-top:0;border-bottom:1px solid var(--rule)}
.warnings{margin:0;padding-left:1.2em}
footer{color:var(--muted);font-size:13px;padding-bottom:36px}
@media (max-width:820px){
.verdict{grid-template-columns:minmax(0,1fr)}
.caution{border-left:0;padding-left:0;border-top:1px solid var(--rule);padding-top:10px}
}
@media (max-width:560px){
body{font-size:14.5px}
main,header,footer{padding-inline:12px}
header{padding-top:18px}
.verdict{padding:14px}
.tiles{grid-template-columns:1fr 1fr;gap:8px}
.tile .now{font-size:23px}
.wide .plot{height:220px}
th,td{padding:5px 9px}
.sample{padding:12px 14px}
.sample dl div{grid-template-columns:1fr;gap:0;padding:4px 0}
.sample dt{font-size:12.5px}
}
@media print{
@page{margin:14mm}
body{background:#fff;font-size:11px}
main,header,footer{max-width:none;padding:0}
nav,.cross,.tip{display:none!important}
section{margin-bottom:20px}
.chart,.tile,.sample,.group,.verdict,.table{break-inside:avoid}
.charts{grid-template-columns:repeat(3,minmax(0,1fr))}
.samples{grid-template-columns:1fr 1fr}
table,.key,.remark,.tile .name,.tile .was{font-size:11px}
h2,.lead{break-after:avoid}
.scroll{overflow:visible}
th,td{padding:3px 6px;white-space:normal}
.heat rect,.ramp,.tile{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}`;

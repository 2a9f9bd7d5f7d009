"""How a page looks: one column, system fonts, thin rules; light, dark, paper and telephone."""

from __future__ import annotations

LIGHT = (
    "--paper:#fbfaf6;--card:#fff;--ink:#1d1d1b;--soft:#5f5e58;--rule:#dcd9cf;--teacher:#0072b2;--proxy:#c04a00;"
    "--control:#77766f;--band:#dedbd0;--good:#00694a;--bad:#a8261b;--open:#7a5c00;--zone:#efede5"
)
DARK = (
    "--paper:#141518;--card:#1b1d21;--ink:#ecebe6;--soft:#a8a7a0;--rule:#3a3c42;--teacher:#5ab4e5;--proxy:#f08a4b;"
    "--control:#a3a39d;--band:#3a3d44;--good:#4cc79a;--bad:#ff8a7d;--open:#e0b84c;--zone:#22252a"
)

DRAWING = """
text{font:12px Inter,system-ui,"Segoe UI",sans-serif;fill:var(--soft)}.ink{fill:var(--ink)}.tiny{font-size:10px}
.zone{font-size:10px;letter-spacing:.08em}.hollow{fill:var(--card);stroke:var(--proxy);stroke-width:1.5}
.ceiling{stroke:var(--control);stroke-width:1.4;stroke-dasharray:2 2;fill:none}
"""
"""Rules for what is inside a drawing."""

BLOCKS = """
p{margin:.5rem 0;max-width:44rem}ul{max-width:46rem;padding-left:1.2rem;margin:.5rem 0}li{margin:.25rem 0}
.soft{color:var(--soft)}.small{font-size:.85rem}
.verdict{background:var(--card);border:1px solid var(--rule);border-left:6px solid var(--open);
padding:1.1rem 1.25rem; margin:1.5rem 0;border-radius:6px}.verdict.FAILS{border-left-color:var(--bad)}
.verdict.HOLDS{border-left-color:var(--good)}.verdict p{max-width:none}
.answer{font-size:1.2rem;font-weight:650;line-height:1.35;margin:.15rem 0 .75rem}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(11rem,1fr));gap:.35rem 1.5rem;margin:.9rem 0 0;
font-size:.85rem}.facts dt,.words dt{color:var(--soft)}.facts dd,.words dd{margin:0;overflow-wrap:anywhere}
.facts,.words{padding:0}
.words{display:grid;margin-left:0;grid-template-columns:minmax(7rem,max-content) minmax(0,44rem);
gap:.3rem 1.25rem;font-size:.9rem}
table{border-collapse:collapse;width:100%;font-size:.9rem;margin:.5rem 0}
th{font-weight:600;text-align:left;color:var(--soft);font-size:.8rem;vertical-align:bottom}
th,td{padding:.4rem .5rem;border-bottom:1px solid var(--rule)}td{vertical-align:top;overflow-wrap:break-word}
th:first-child,td:first-child{padding-left:0}th:last-child,td:last-child{padding-right:0}td.n,th.n{text-align:right}
td.n,.chip{overflow-wrap:normal}.iv{white-space:nowrap}.chip.kind{white-space:normal}.scale{display:none}
td small{display:block;color:var(--soft);font-size:.78rem}tr.more td:not([rowspan]){border-bottom-color:transparent}
.chip{font-size:.75rem;font-weight:650;letter-spacing:.03em;white-space:nowrap}.chip.HOLDS{color:var(--good)}
.chip.FAILS{color:var(--bad)}.chip.UNDECIDED{color:var(--open)}.strips{table-layout:fixed}
.strips td{vertical-align:middle}.strips .who{width:18%}.strips .pic{width:26%}.strips .num{width:12.5%}
.strips caption,.part{text-align:left;font-weight:600;padding:.9rem 0 .1rem}.claims{table-layout:fixed}
.flow td{min-width:5.9rem}
.claims th:nth-child(1){width:19%}.claims th:nth-child(2){width:16%}.claims th:nth-child(3){width:13%}
.claims th:nth-child(4){width:9%}.claims th:nth-child(5){width:9%}.claims td.t:first-child{padding-left:.5rem}
.claims th:nth-child(6),.claims th:nth-child(7){width:10%}.claims th:nth-child(8){width:14%}
.strips caption small{display:block;color:var(--soft);font-weight:400;font-size:.8rem}
svg.strip{display:block;width:100%;max-width:300px;height:auto}
svg.plane{display:block;width:100%;max-width:31rem;height:auto}
svg.rules{display:block;width:100%;max-width:48rem;height:auto;margin:.5rem 0}
svg.curve{display:block;width:100%;max-width:42rem;height:auto}
svg.sample{width:32px;height:28px;vertical-align:middle;margin-right:.35rem}
.key{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;font-size:.85rem;color:var(--soft);margin:.5rem 0;padding:0;
list-style:none;max-width:none}
pre{background:var(--card);border:1px solid var(--rule);border-radius:6px;padding:.8rem 1rem;overflow-x:auto;
font:.82rem/1.6 ui-monospace,"DejaVu Sans Mono",Menlo,monospace;margin:.5rem 0}
.two{display:grid;grid-template-columns:minmax(0,1.1fr) minmax(0,1fr);gap:1rem 2rem;align-items:start}
.told{list-style:none;padding:0;margin:.25rem 0}.told li{margin:.45rem 0}
.note{border-left:3px solid var(--open);padding-left:.8rem}details{margin:.4rem 0}
summary{cursor:pointer;color:var(--soft);font-size:.85rem}
summary:focus-visible{outline:2px solid var(--teacher);outline-offset:2px}@media screen and (max-width:46rem){
.two,.words{grid-template-columns:1fr}.words dd{margin-bottom:.4rem}.strips,.flow{display:block;table-layout:auto}
.strips thead,.flow thead{display:none}.strips tbody,.flow tbody,.strips caption{display:block}
.strips tr,.flow tr{display:block;padding:.5rem 0; border-bottom:1px solid var(--rule)}
.strips td,.flow td{display:flex;justify-content:space-between;gap:1rem;border:0; padding:.12rem 0;text-align:left}
.strips td.n,.flow td.n{text-align:left}
td[data-label]::before{content:attr(data-label); color:var(--soft);flex:0 0 5.5rem;font-size:.8rem}
.strips td>div,.flow td>div{flex:1;text-align:right;min-width:0}.strips .pic,.strips .who,.strips .num{width:auto}
.strips tr:first-child .scale{display:block}td.n small{display:inline; margin-left:.4rem}
td.n small.line{display:block;margin-left:0}.strips td.pic,.strips td.name,.flow td.name{display:block}
.strips td.name>div,.flow td.name>div{text-align:left}.claims td.t:first-child{padding-left:0}svg.strip{max-width:none}
tr.more{border-bottom-color:transparent}}
"""
"""Rules for the blocks alone; they need the variables."""

PAGE = """
*{box-sizing:border-box}
html{font:16px/1.5 Inter,system-ui,"Segoe UI",sans-serif;background:var(--paper); color:var(--ink);
font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%}
body{max-width:60rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .25rem;letter-spacing:-.015em}
h2{font-size:1.2rem;margin:2.75rem 0 .5rem;padding-top:.75rem;border-top:1px solid var(--rule)}
h3{font-size:1rem;margin:1.6rem 0 .25rem}@media print{html{background:#fff;font-size:10pt}
body{max-width:none;padding:0}h2,h3,caption,.key{break-after:avoid}tr,.verdict,svg,.two,li{break-inside:avoid}
pre{white-space:pre-wrap}h2{margin-top:1.5rem}
details::details-content{content-visibility:visible;display:block;height:auto}}@page{margin:16mm}
"""

CSS = (
    f":root{{{LIGHT}}}@media screen and (prefers-color-scheme:dark){{:root{{{DARK}}}}}{DRAWING}{BLOCKS}{PAGE}".replace(
        "\n", ""
    )
)

"""The report's look, on a screen, on a phone and on paper."""

from evidence.day.glyph import DAY_STYLE

STYLE = (
    DAY_STYLE
    + """
:root{color-scheme:light dark}
*{box-sizing:border-box}
html{background:var(--day-ground);-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:58rem;padding:3.5rem 1.5rem 5rem;color:var(--day-ink);
font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;font-variant-numeric:tabular-nums}
h1{font-size:2.1rem;line-height:1.2;font-weight:600;letter-spacing:-.015em;margin:.2rem 0 1rem}
h2{font-size:1.25rem;line-height:1.3;font-weight:600;margin:3.5rem 0 .9rem;padding-top:1.1rem;
border-top:1px solid var(--day-line)}
h2.unit{font-size:1.6rem;border-top:2px solid var(--day-ink);margin-top:5rem}
p{margin:0 0 .8rem;max-width:44rem}
a{color:var(--day-accent);text-underline-offset:.15em}
a:focus-visible,summary:focus-visible{outline:2px solid var(--day-accent);outline-offset:3px}
.kicker{color:var(--day-muted);margin:0}
.quiet{color:var(--day-muted)}
small,.small{font-size:.85rem;color:var(--day-muted)}
.verdict{display:flex;gap:.9rem;align-items:flex-start}
.verdict svg{flex:none;width:2.1rem;height:2.1rem;margin-top:.3rem}
.verified{color:var(--day-accent)}.findings{color:var(--day-red)}.cannot-tell{color:var(--day-amber)}
.lede{font-size:1.1rem}
.notice{border-left:3px solid var(--day-violet);padding:.15rem 0 .15rem .9rem;margin:1.2rem 0}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.45rem 2rem;margin:2rem 0 0}
dt{color:var(--day-muted)}
dd{margin:0;min-width:0;overflow-wrap:anywhere}
code,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.88em}
pre{background:var(--day-wash);padding:.8rem 1rem;margin:0 0 .8rem;overflow-x:auto;border-radius:3px}
figure{margin:1.2rem 0 0}
figure .wide>.day,figure .narrow>.day{width:100%;height:auto;overflow:visible}
figure .narrow{display:none}
.key{list-style:none;display:flex;flex-wrap:wrap;gap:.35rem 1.6rem;padding:0;margin:1.1rem 0 .6rem;font-size:.88rem}
.key li{display:flex;align-items:center;gap:.55rem;max-width:100%}
.key svg{flex:none}
table{border-collapse:collapse;width:100%;font-size:.93rem}
th{text-align:left;font-weight:600;font-size:.85rem;color:var(--day-muted);vertical-align:bottom}
th,td{padding:.5rem 1.1rem .5rem 0;border-bottom:1px solid var(--day-line)}
td{vertical-align:top;overflow-wrap:break-word}
td small,li p{overflow-wrap:anywhere}
th:last-child,td:last-child{padding-right:0}
table+.small{margin-top:.7rem}
.after{margin-top:1.6rem}
td small{display:block;margin-top:.1rem}
.tight{white-space:nowrap}
tr:target,li:target{background:var(--day-wash)}
ol.list{list-style:none;margin:0;padding:0}
ol.list>li{padding:1rem 0;border-bottom:1px solid var(--day-line)}
ol.list p{margin:.15rem 0}
.class{font-weight:600}
.wrong{color:var(--day-red)}.open{color:var(--day-amber)}.note{color:var(--day-muted)}
summary{cursor:pointer;padding:.6rem 0;color:var(--day-accent)}
footer{margin-top:3.5rem;padding-top:1.1rem;border-top:1px solid var(--day-line);color:var(--day-muted);font-size:.9rem}
@media (max-width:44rem){
body{padding:1.6rem 1rem 3rem}
h1{font-size:1.55rem}
h2{margin-top:2.6rem}
.verdict svg{width:1.6rem;height:1.6rem;margin-top:.15rem}
dl{grid-template-columns:1fr;gap:.1rem}
dd{margin-bottom:.7rem}
figure .wide{display:none}
figure .narrow{display:block}
table.stack,table.stack tbody,table.stack tr,table.stack td{display:block}
table.stack thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
table.stack tr{padding:.7rem 0;border-bottom:1px solid var(--day-line)}
table.stack td{padding:.08rem 0;border:0;text-align:left;white-space:normal}
table.stack td[data-name]::before{content:attr(data-name) ": ";color:var(--day-muted)}
summary{padding:.75rem 0}
}
@media print{
@page{size:A4;margin:16mm 15mm 18mm}
:root{color-scheme:light}
html{background:none}
body{max-width:none;padding:0;font-size:10pt;line-height:1.4}
h1{font-size:19pt}
h2{font-size:12.5pt;margin-top:7mm;padding-top:3mm;break-after:avoid}
h2.unit{break-before:page;margin-top:0}
.lede{font-size:11pt}
a{color:inherit;text-decoration:none}
figure,tr,ol.list>li,dl,pre{break-inside:avoid}
thead{display:table-header-group}
table{font-size:8.8pt}
th{font-size:8.2pt}
th,td{padding-top:1.1mm;padding-bottom:1.1mm}
small,.small,.key{font-size:8.2pt}
dl{gap:1mm 6mm;margin-top:5mm}
figure .wide{display:block}
figure .narrow{display:none}
ol.list>li{padding:2.2mm 0}
pre{background:none;border:1px solid var(--day-line);white-space:pre-wrap}
details::details-content{content-visibility:visible;block-size:auto}
summary{display:none}
}
"""
)

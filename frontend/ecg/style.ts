// A constructed sheet: allowed by a content security policy without inline styles.
export const style = new CSSStyleSheet();
style.replaceSync(`
:host { display: block; color: #14181f; font: 14px/1.4 system-ui, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif; }
[hidden] { display: none !important; }
.bar { display: flex; flex-wrap: wrap; gap: 6px 14px; align-items: center; padding: 6px 8px; background: #f6f8fa; border: 1px solid #d8dee4; border-bottom: 0; border-radius: 6px 6px 0 0; }
.group { display: flex; align-items: center; gap: 4px; }
.name { color: #57606a; font-size: 12px; }
button { font: inherit; min-height: 30px; padding: 2px 9px; border: 1px solid #cfd7df; border-radius: 4px; background: #fff; color: inherit; cursor: pointer; }
.set { display: flex; }
.set button { border-radius: 0; margin-left: -1px; }
.set button:first-child { border-radius: 4px 0 0 4px; }
.set button:last-child { border-radius: 0 4px 4px 0; }
button[aria-pressed="true"] { background: #0b5cad; border-color: #0b5cad; color: #fff; }
button:focus-visible, .paper:focus-visible, canvas:focus-visible, input:focus-visible { outline: 3px solid #f0a500; outline-offset: 1px; }
.papers { display: flex; flex-direction: column; gap: 8px; border: 1px solid #d8dee4; border-radius: 0 0 6px 6px; background: #fff; padding: 6px; }
.papers.beside { flex-direction: row; }
.paper { overflow-x: auto; min-width: 0; flex: 0 1 auto; overscroll-behavior-x: contain; }
canvas { display: block; touch-action: pan-x pan-y; }
canvas.measuring { touch-action: none; cursor: crosshair; }
.say { min-height: 1.4em; padding: 2px 8px; color: #0b5cad; font-variant-numeric: tabular-nums; }
dialog { border: 1px solid #cfd7df; border-radius: 8px; padding: 18px; max-width: min(92vw, 560px); color: inherit; }
dialog::backdrop { background: rgb(20 24 31 / 35%); }
dl { display: grid; grid-template-columns: auto 1fr; gap: 6px 14px; margin: 0 0 14px; }
dt { font-weight: 600; font-family: ui-monospace, monospace; }
dd { margin: 0; }
.ruler { height: 54px; border: 2px solid #14181f; border-radius: 4px; background: #eef4fb; box-sizing: border-box; max-width: none; margin: 12px 0; }
input[type="range"] { width: 100%; }
.row { display: flex; gap: 8px; margin-top: 12px; }
@media (max-width: 600px) { .bar { gap: 4px 8px; padding: 4px; } .name { display: none; } button { min-height: 34px; padding: 2px 7px; } .papers { padding: 2px; } .papers.beside { flex-direction: column; } }
@media print { .bar, .say, dialog { display: none; } .papers { border: 0; padding: 0; } .paper { overflow: visible; break-inside: avoid; } }
`);

// The entry of every page. Each module finds its own elements, now and after each HTMX swap, and pages work without it.
import { startCopy } from "./modules/copy.js";
import { startDialogs } from "./modules/dialog.js";
import { startEditors } from "./modules/editor.js";
import { startFileDrop } from "./modules/file_drop.js";
import { startHtmx } from "./modules/htmx.js";
import { startLive } from "./modules/live.js";
import { startMenus } from "./modules/menu.js";
import { startPalette } from "./modules/palette.js";
import { startShortcuts } from "./modules/shortcuts.js";
import { startTables } from "./modules/table.js";
import { startTabs } from "./modules/tabs.js";
import { startTheme } from "./modules/theme_choice.js";
import { startToasts } from "./modules/toast.js";

startTheme();
startMenus();
startShortcuts();
startPalette();
startTables();
startTabs();
startCopy();
startDialogs();
startEditors();
startFileDrop();
startToasts();
startHtmx();
startLive();

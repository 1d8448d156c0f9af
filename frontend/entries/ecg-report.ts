// The reader's form: phrases by key, findings made from figures, drafts and the lease kept while somebody works.
import "../styles/ecg.css";
import { startPicker } from "../ecg-report/picker";
import { startFigures } from "../ecg-report/figures";
import { startKeeping } from "../ecg-report/keeping";
import { startUpload } from "../ecg-report/upload";

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-ecg-report]")) {
  startPicker(form);
  startFigures(form);
  if (form.dataset.draft) startKeeping(form);
}
startUpload();

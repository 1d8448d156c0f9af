// <ecg-viewer src="…" compare="…">: twelve leads on true-to-scale paper with calipers and comparison.
import { EcgViewer } from "../ecg/viewer";

customElements.define("ecg-viewer", EcgViewer);

// <signature-pad data-for="id_of_hidden_field" data-clear="重签">: a field to sign in with finger, pen or mouse. What was drawn goes
// into the hidden field as a PNG data URL; an untouched pad leaves it empty.
const WIDTH = 600;
const HEIGHT = 180;

class SignaturePad extends HTMLElement {
  private readonly canvas = document.createElement("canvas");
  private drawing = false;

  connectedCallback(): void {
    this.canvas.width = WIDTH;
    this.canvas.height = HEIGHT;
    this.canvas.className = "ds-signature";
    const clear = document.createElement("button");
    clear.type = "button";
    clear.className = "btn btn-sm";
    clear.textContent = this.dataset.clear ?? "";
    clear.addEventListener("click", () => this.clear());
    this.replaceChildren(this.canvas, clear);
    this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
    this.canvas.addEventListener("pointermove", (event) => this.go(event));
    for (const kind of ["pointerup", "pointercancel"]) this.canvas.addEventListener(kind, () => this.end());
  }

  private begin(event: PointerEvent): void {
    const pen = this.canvas.getContext("2d");
    if (!pen) return;
    this.drawing = true;
    this.canvas.setPointerCapture(event.pointerId);
    pen.lineWidth = 3;
    pen.lineCap = "round";
    pen.strokeStyle = "#14181f";
    pen.beginPath();
    pen.moveTo(...this.place(event));
    event.preventDefault();
  }

  private go(event: PointerEvent): void {
    const pen = this.canvas.getContext("2d");
    if (!this.drawing || !pen) return;
    pen.lineTo(...this.place(event));
    pen.stroke();
  }

  private end(): void {
    if (!this.drawing) return;
    this.drawing = false;
    this.write(this.canvas.toDataURL("image/png"));
  }

  private clear(): void {
    this.canvas.getContext("2d")?.clearRect(0, 0, WIDTH, HEIGHT);
    this.write("");
  }

  private place(event: PointerEvent): [number, number] {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * WIDTH, ((event.clientY - box.top) / box.height) * HEIGHT];
  }

  private write(text: string): void {
    const field = document.getElementById(this.dataset.for ?? "");
    if (field instanceof HTMLInputElement) field.value = text;
  }
}

customElements.define("signature-pad", SignaturePad);

// The bar of an upload; a file from a slow village line takes a while.
export function startUpload(): void {
  document.body.addEventListener("htmx:xhr:progress", (event) => {
    const { loaded, total } = (event as CustomEvent<{ loaded: number; total: number }>).detail;
    const bar = document.querySelector<HTMLProgressElement>("[data-upload] progress");
    if (!bar || !total) return;
    bar.hidden = false;
    bar.value = loaded / total;
  });
}

// <copy-text>: a button that copies the text beside it. Says "Copied" only when it is true; where
// the browser refuses (plain http), it selects the text for the keyboard instead.
const SHOWN_MS = 2000;

class CopyText extends HTMLElement {
  connectedCallback() {
    this.querySelector("button").addEventListener("click", (event) => this.copy(event.currentTarget));
  }

  async copy(button) {
    const text = this.querySelector("pre");
    const before = button.textContent;
    button.textContent = (await this.write(text.textContent)) ? "Copied" : this.select(text);
    setTimeout(() => { button.textContent = before; }, SHOWN_MS);
  }

  async write(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return false;
    }
  }

  select(element) {
    getSelection().selectAllChildren(element);
    return "Press Ctrl+C";
  }
}

customElements.define("copy-text", CopyText);

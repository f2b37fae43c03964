class PorticoSignIn extends HTMLElement {
  connectedCallback() {
    const link = document.createElement("a");
    link.href = new URL("/portal/sign-in", import.meta.url).href;
    link.textContent = "Sign in";
    this.append(link);
  }
}
customElements.define("portico-sign-in", PorticoSignIn);

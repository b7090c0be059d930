/** As much of a page as a lab without pictures asks for. */

class StubNode {
  static TEXT_NODE = 3;

  constructor(nodeType) {
    Object.assign(this, { nodeType, nodeValue: null, childNodes: [], parentElement: null });
  }

  get firstChild() {
    return this.childNodes[0] ?? null;
  }

  get lastChild() {
    return this.childNodes.at(-1) ?? null;
  }

  get textContent() {
    return this.nodeType === StubNode.TEXT_NODE ? this.nodeValue : this.childNodes.map((node) => node.textContent).join("");
  }

  set textContent(text) {
    this.replaceChildren(...(text === "" ? [] : [text]));
  }

  append(...nodes) {
    for (const node of nodes) {
      const child = node instanceof StubNode ? node : Object.assign(new StubNode(StubNode.TEXT_NODE), { nodeValue: String(node) });
      child.remove?.();
      child.parentElement = this;
      this.childNodes.push(child);
    }
  }

  replaceChildren(...nodes) {
    this.childNodes = [];
    this.append(...nodes);
  }
}

class StubElement extends StubNode {
  constructor(tag) {
    super(1);
    Object.assign(this, { tag, attributes: {}, style: {}, listeners: {}, hidden: false, value: "", selectedIndex: -1 });
    this.checked = false;
  }

  get children() {
    return this.childNodes.filter((node) => node.nodeType === 1);
  }

  get id() {
    return this.attributes.id ?? "";
  }

  get valueAsNumber() {
    return this.value === "" ? NaN : Number(this.value);
  }

  setAttribute(name, value) {
    this.attributes[name] = value;
  }

  remove() {
    if (this.parentElement) this.parentElement.childNodes = this.parentElement.childNodes.filter((node) => node !== this);
    this.parentElement = null;
  }

  addEventListener(type, listener) {
    (this.listeners[type] ??= []).push(listener);
  }

  /** Let something happen to the element. */
  fire(type, event = {}) {
    for (const listener of this.listeners[type] ?? []) listener({ preventDefault() {}, stopPropagation() {}, target: this, ...event });
  }

  /** All elements in this one of which `test` is true. */
  all(test) {
    return this.children.flatMap((node) => [...(test(node) ? [node] : []), ...node.all(test)]);
  }

  querySelectorAll(selector) {
    const [, name, value] = /^\[([\w-]+)=([\w-]+)\]$/.exec(selector);
    return this.all((node) => node.attributes[name] === value);
  }
}

class Watcher {
  observe() {}
  disconnect() {}
}

/** Make the globals that a page has. */
export function installPage() {
  const document = { createElement: (tag) => new StubElement(tag) };
  Object.assign(document, { documentElement: new StubElement("html"), body: new StubElement("body") });
  const window = { matchMedia: () => ({ addEventListener() {}, removeEventListener() {} }), devicePixelRatio: 1 };
  const getComputedStyle = () => ({ color: "rgb(0, 0, 0)", backgroundColor: "rgb(255, 255, 255)" });
  Object.assign(globalThis, { document, window, getComputedStyle, Node: StubNode, MutationObserver: Watcher, ResizeObserver: Watcher });
}

/** A widget's model: keeps what is sent, and lets a test answer. */
export class Model {
  constructor(first) {
    Object.assign(this, { first, sent: [], receive: null });
  }

  get() {
    return this.first;
  }

  send(content) {
    this.sent.push(content);
  }

  on(_, receive) {
    this.receive = receive;
  }

  off() {
    this.receive = null;
  }
}

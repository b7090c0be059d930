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

  get className() {
    return this.attributes.class ?? "";
  }

  set className(names) {
    this.attributes.class = names;
  }

  /** The nearest element around, this one first, of a class. */
  closest(selector) {
    const found = this.className.split(" ").includes(selector.slice(1));
    return found ? this : (this.parentElement?.closest(selector) ?? null);
  }

  setAttribute(name, value) {
    this.attributes[name] = value;
  }

  removeAttribute(name) {
    delete this.attributes[name];
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
    const given = event instanceof StubInputEvent ? event : { preventDefault() {}, stopPropagation() {}, target: this, ...event };
    for (const listener of this.listeners[type] ?? []) listener(given);
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
  static all = new Set();

  constructor(changed) {
    this.changed = changed;
    Watcher.all.add(this);
  }

  observe() {}

  disconnect() {
    Watcher.all.delete(this);
  }
}

/** Let everything on the page be this wide, as when it is laid out. */
export function layOut(width) {
  for (const watcher of Watcher.all) if (watcher instanceof Sizes) watcher.changed([{ contentRect: { width } }]);
}

class Sizes extends Watcher {}

/** What a browser tells of a key that changes a field; a step of its arrows is told by a plain event. */
class StubInputEvent {
  constructor(inputType) {
    this.inputType = inputType;
  }
}

/** Make the globals that a page has. */
export function installPage() {
  const document = { createElement: (tag) => new StubElement(tag) };
  Object.assign(document, { documentElement: new StubElement("html"), body: new StubElement("body") });
  const window = { matchMedia: () => ({ addEventListener() {}, removeEventListener() {} }), devicePixelRatio: 1 };
  const getComputedStyle = () => ({ color: "rgb(0, 0, 0)", backgroundColor: "rgb(255, 255, 255)" });
  Object.assign(globalThis, { document, window, getComputedStyle, Node: StubNode, InputEvent: StubInputEvent, MutationObserver: Watcher, ResizeObserver: Sizes });
}

/** A widget's model: keeps what is sent, lets a test answer, and can lose its kernel. */
export class Model {
  constructor(first) {
    Object.assign(this, { first, sent: [], listeners: {}, live: true });
  }

  /** Take a message from Python. */
  receive(content, buffers) {
    this.listeners["msg:custom"](content, buffers);
  }

  /** Lose the kernel, or find it again. */
  setLive(live) {
    this.live = live;
    this.listeners.comm_live_update?.();
  }

  get() {
    return this.first;
  }

  send(content) {
    if (!this.live) throw new Error("Cannot send");
    this.sent.push(content);
  }

  on(event, listener) {
    this.listeners[event] = listener;
  }

  off(event) {
    delete this.listeners[event];
  }
}

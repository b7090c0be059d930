/**
 * The types of what Python sends (course/labs/lab.py describes the messages, course/labs/drawing.py
 * the panels), and of what a panel asks of its lab. Read by the type checker alone.
 */
declare namespace Labs {
  /** A place in a panel: row and column, or series and point. */
  type Cell = [number, number];
  /** Controls' values by name, as JSON. */
  type Values = Record<string, any>;
  /** Words, or the name of a list of words that is sent once. */
  type Words = string[] | string;
  /** A select's value and its label. */
  type Choice = [any, string];
  /** When something is seen: by the name of a value, the value or values that it must have. */
  type Show = Record<string, any>;
  type Bits = 4 | 8 | 16;

  // The form: read once

  interface ControlSpec {
    name: string;
    kind: "text" | "number" | "range" | "select" | "check" | "button" | "chips";
    label: string;
    help?: string;
    long?: boolean;
    /** The lab's own input: it comes first, and stays in sight while the picture is looked at. */
    main?: boolean;
    /** It is folded away under "More". */
    more?: boolean;
    /** The setting that it stands for, where that has another name. */
    sets?: string;
    show?: Show;
    least?: number;
    most?: number;
    step?: number;
    digits?: number;
    shows?: string[];
    placeholder?: string;
    /** How many characters of a text are used. */
    longest?: number;
    choices?: Choice[];
    /** What a chip is of, and the words on the button that leaves the chosen one alone. */
    item?: string;
    nearest?: string;
  }

  interface PanelSpec {
    name: string;
    kind: "grid" | "matrix" | "table" | "plot" | "tokens" | "steps" | "journey" | "flow" | "passages" | "texts" | "image" | "sketch" | "patches" | "stage" | "curves" | "answers" | "sound";
    label: string;
    column?: 0 | 1;
    /** Above both columns. */
    wide?: boolean;
    more?: boolean;
    help?: string;
    show?: Show;
  }

  interface CanvasSpec extends PanelSpec {
    chooses?: (string | null | undefined)[];
    tells?: string;
    /** The number of the first row and column, or piece, in words; 0 by default. */
    first?: number;
  }

  interface FlowSpec extends CanvasSpec {
    /** What stands at the left, and what at the right; by default queries and keys. */
    sides?: [string, string];
  }

  interface GridSpec extends CanvasSpec {
    tells: string;
    item: string;
    row: string;
    number: string;
    toggles?: string;
  }

  interface MatrixSpec extends CanvasSpec {
    tells: string;
    corner: string;
    widest?: number;
    row_height?: number;
    legend?: boolean;
    digits?: number;
    sum?: boolean;
    paints?: { name: string; when: [string, any] };
  }

  interface TableSpec extends PanelSpec {
    chooses?: string;
    /** What a click on a row sends, or Enter at the chosen one: the row's number. */
    takes?: string;
    wide_labels?: boolean;
    /** Its rows are high: few of them stand beside a large picture. */
    roomy?: boolean;
    /** Its rows are the first of many: another setting may bring others. */
    ranked?: boolean;
  }

  interface AxisSpec {
    label?: string;
    log?: boolean;
    whole?: boolean;
    least?: number | null;
    most?: number | null;
    ticks?: [number, string][];
    pitch?: number;
  }

  interface PlotSpec extends CanvasSpec {
    x: AxisSpec;
    y: AxisSpec;
    height?: number;
    widest?: number;
    equal?: boolean;
    legend?: boolean;
    sends?: string;
  }

  interface TokensSpec extends CanvasSpec {
    digits?: number;
    number?: string;
    key?: string;
    /** The value, a list of places, that space puts the chosen piece on or takes it off. */
    toggles?: string;
    /** What a hatched and what a dashed piece are called. */
    called?: { unknown?: string; special?: string };
    /** The line below for a piece that has no number, of {i} and {piece}. */
    nameless?: string;
  }

  interface PassagesSpec extends PanelSpec {
    /** The value that gets the chosen passage's number. */
    chooses: string;
    /** What the score is called. */
    score: string;
  }

  interface TextsSpec extends PanelSpec {}

  interface ImageSpec extends CanvasSpec {
    /** The side of a pixel at most, in CSS pixels. */
    cell?: number;
    /** The value, a list of patches, that space puts the chosen patch on or takes it off. */
    toggles?: string;
    /** The line below where no patch is chosen. */
    nothing?: string;
    /** The patches stand in the order of the sentence. */
    in_order?: boolean;
  }

  interface SketchSpec extends ImageSpec {
    /** The value that gets all levels. */
    sends: string;
  }

  interface StepsSpec extends PanelSpec {
    chooses: string;
  }

  interface JourneySpec extends StepsSpec {
    /** The value that is the layer's number. */
    turns: string;
  }

  interface StageSpec extends PanelSpec {
    /** What the buttons drive, and what the bar counts; a training, and its updates. */
    drives?: string;
    counts?: string;
  }

  interface CurvesSpec extends CanvasSpec {}

  interface SoundSpec extends CanvasSpec {
    /** Samples a second. */
    rate: number;
    /** Seconds of a recording of the microphone. */
    longest: number;
    /** The value that gets a recording, 16 bits a sample, in base64. */
    records: string;
    /** The value that asks for the samples of what is shown. */
    hears: string;
    /** What becomes of a recording, in words. */
    privacy: string;
  }

  interface Group {
    label: string;
    wide?: boolean;
    more?: boolean;
    controls: ControlSpec[];
  }

  interface Colours {
    series?: string[];
    tints?: string[];
    heads?: string[];
    signed?: string[];
  }

  interface Form {
    lab: string;
    title: string;
    groups: Group[];
    panels: PanelSpec[];
    scales: Record<string, string[]>;
    colours?: { light: Colours; dark: Colours };
  }

  // The panels' descriptions: sent where they changed

  interface PanelMeta {
    name: string;
    caption?: string;
    /** Where in the message's buffers each of the panel's is, if they changed. */
    data?: Record<string, number>;
  }

  interface CanvasMeta extends PanelMeta {
    chosen: Cell;
    row_labels?: Words;
    column_labels?: Words;
  }

  interface GridMeta extends CanvasMeta {
    rows: number;
    columns: number;
    side: number;
    off: Cell[];
  }

  /** How a number became a code. */
  interface Coding {
    scale: string;
    limit: number;
  }

  interface MatrixMeta extends CanvasMeta, Coding {
    bits: Bits;
  }

  interface Column {
    label: string;
    digits?: number;
    bar?: number;
    /** The column's numbers are those of the column before it, times this. */
    times?: number;
  }

  interface TableMeta extends PanelMeta {
    row_labels: Words;
    foot_labels: string[];
    columns: Column[];
    chosen?: number;
    /** Rows that are drawn grey. */
    greyed?: number[];
  }

  interface FlowMeta extends CanvasMeta {
    heads: number[];
    count: number;
    shares: boolean;
  }

  interface Series {
    name?: string;
    count: number;
    draws: "line" | "points" | "both";
    labels?: Words;
    style?: number;
    size?: number;
    faint?: boolean;
    aside?: boolean;
    first?: number;
    unwritten?: boolean;
    /** Its labels stand above or below their points, never beside them. */
    above?: boolean;
  }

  interface PlotMeta extends CanvasMeta {
    series: Series[];
    x?: AxisSpec;
    y?: AxisSpec;
    marks?: { axis: "x" | "y"; at: number; label?: string }[];
  }

  interface TokensMeta extends CanvasMeta {
    pieces: Words;
    scale: string;
    /** The script's: from right to left the first piece stands at the right. */
    direction?: "ltr" | "rtl";
  }

  interface ImageMeta extends CanvasMeta, Coding {
    /** Pixels in a row and in a column, of the image and of a patch. */
    side: number;
    patch: number;
    /** The patches that are grey. */
    occluded: number[];
    /** Which patch stands at each place of the sentence. */
    order: number[];
    /** The position that each token gets, in words; null where it is its place. */
    positions: string[] | null;
    class_token: boolean;
    /** What the numbers are about: those about another thing are not compared with them. */
    about?: string;
  }

  interface SoundMeta extends CanvasMeta {
    /** Bands and columns of the spectrogram. */
    rows: number;
    columns: number;
    /** Frames of the encoder, and the seconds between two. */
    frames: number;
    pitch: number;
    seconds: number;
    /** The words of the likeliest path, each with its first and last frame. */
    runs: { word: string; first: number; last: number }[];
    /** The likeliest of each frame in words. */
    likeliest: string[];
    /** The silenced stretch in seconds; empty where the second is not later. */
    cut: [number, number];
    /** The weights of the chosen frame, and of which head; empty where there is no attention. */
    looks: number[];
    head: string;
  }

  interface StepsMeta extends PanelMeta {
    rows: Words;
    chosen: number;
    says: string;
    code: { text: string; place: string }[];
  }

  interface Station {
    label: string;
    shape: string;
    /** The first and the last of its steps. */
    steps: Cell;
    /** Whether it is in a layer. */
    inside: boolean;
    says: string;
  }

  interface JourneyMeta extends PanelMeta {
    stations: Station[];
    layer: number | null;
    layers: number;
    chosen: number;
    last: number;
  }

  interface PassagesMeta extends PanelMeta {
    entries: {
      id: number;
      title: string;
      /** The text, cut at words of the question: those stand at odd places. */
      parts: string[];
      score: number;
      /** Where it stands in another ranking. */
      note: string;
    }[];
    /** The chosen passage's number; it may be in another ranking. */
    chosen: number;
    /** Why there is none. */
    empty: string;
  }

  interface TextRow {
    label: string;
    /** The text, cut at what differs from another row: that stands at odd places. */
    parts: string[];
    /** As in HTML; "" where it is not known. */
    language: string;
    note: string;
    /** Whether it is the right text, where that is known. */
    right?: boolean;
  }

  interface TextsMeta extends PanelMeta {
    rows: TextRow[];
  }

  // The theatre's panels

  /** A run's state: how far it is, and that in words. */
  interface RunState {
    name: string;
    words: string;
    step: number;
    total: number;
  }

  interface StageButton {
    name: string;
    label: string;
    /** What it sends; without, how often it was pressed. */
    sends?: string;
    /** Why it does nothing now. */
    off?: string;
  }

  interface StageMeta extends PanelMeta {
    parts: string;
    /** That this is a recording, and of what; "" for a live run. */
    recording: string;
    runs: RunState[];
    buttons: StageButton[];
    /** For those who listen. */
    said: string;
  }

  interface Run {
    id: string;
    name: string;
    words: string;
    /** The update that it branched off after. */
    first: number;
    step: number;
    total: number;
    /** Of the smoothing, in updates. */
    constant: number;
    /** Where something was changed: after which update, and what. */
    marks: [number, string][];
  }

  interface CurvesMeta extends CanvasMeta {
    runs: Run[];
    chunks: { id: string; from: number; upto: number; count: number; measured: number; last: number }[];
    figure: string;
    baselines: [string, number][];
    /** The kept moments, in order. */
    moments: number[];
    /** Where the learner put the cursor; null follows the end. */
    cursor: number | null;
    log: boolean;
  }

  interface AnswersMeta extends PanelMeta {
    /** After which update the model answered. */
    at: number | null;
    examples: { prompt: string; right: string; guesses: [string, number][] }[];
    /** Why there are none. */
    empty?: string;
  }

  // The messages

  /** A task; `why` is there once it is reached. */
  interface Challenge {
    id: string;
    asks: string;
    hint: string;
    why?: string;
  }

  /** All tasks, when one is reached. */
  interface Reached {
    type: "challenges";
    challenges: Challenge[];
  }

  interface Message {
    type: "draw";
    view?: string;
    request?: number;
    to?: string;
    drawn?: number;
    form?: Form;
    /** With the form: the settings that are not as the lab begins by itself. */
    changed?: string[];
    values?: Values;
    panels: PanelMeta[];
    summary?: string;
    notice?: string;
    choices?: Record<string, Choice[] | string>;
    labels?: Record<string, string[]>;
    /** Why a control's value is refused, by name: all of them, where that changed. */
    refused?: Record<string, string>;
    /** Where a control's steps lead, by name: all of them, where that changed. */
    allowed?: Record<string, number[]>;
    challenges?: Challenge[];
  }

  /** A message as JSON alone, its buffers in base64. */
  interface First extends Message {
    buffers: string[];
  }

  interface Request {
    request: number;
    changes: Values;
  }

  type Receive = (content: Message | Reached, buffers?: DataView[]) => void;

  /** What a view tells Python. */
  interface Sent {
    type: "ready" | "change" | "still" | "gone";
    view: string;
    request?: number;
    changes?: Values;
  }

  /** What anywidget hands to `render`, as far as it is used. */
  interface Model {
    get(name: "first"): First | undefined;
    /** Throws where the kernel is gone. */
    send(content: Sent): void;
    on(event: "msg:custom", receive: Receive): void;
    on(event: "comm_live_update", changed: () => void): void;
    off(event: "msg:custom", receive: Receive): void;
    off(event: "comm_live_update", changed: () => void): void;
  }

  /** What a panel asks of the lab that it is in. */
  interface Host {
    root: HTMLElement;
    /** Whether the kernel is gone. */
    lost: boolean;
    values: Values;
    /** Lists of words by name: the tokens of the text, say. */
    labels: Record<string, string[]>;
    scales: Record<string, Uint32Array>;
    colours: Colours;
    /** The page's own colours. */
    ink: string;
    paper: string;
    /** Canvas pixels for each CSS pixel. */
    sharpness: number;
    change(changes: Values): void;
    /** Tell the other panels what is pointed at, by the names that the pointed panel chooses. */
    point(at: Record<string, number> | null, from: object): void;
    isMoving(name: string): boolean;
    words(words: Words | undefined): string[];
    afterCanvases(write: () => void): void;
    legend(scale: string): HTMLCanvasElement;
  }

  /** What a comparison asks of its lab. */
  /** A setting: its value, and it and its value as a person reads them. */
  interface Setting {
    label: string;
    value: unknown;
    words: string;
    isText: boolean;
  }

  /** What a comparison has kept: the settings, and what each panel showed. */
  interface Kept {
    settings: Map<string, Setting>;
    panels: Map<string, unknown>;
  }

  /** What a lab whose kernel went leaves to the one that comes into its cell. */
  interface Left {
    values: Values;
    compared: Kept | null;
  }

  interface Compared {
    controls: Map<string, { spec: ControlSpec; value(): any; words(): string }>;
    values: Values;
    panels: Map<string, { spec: { show?: Show; chooses?: string | (string | null | undefined)[] }; ready: boolean; before: any; keep(): void; forget(): void; compare(): void }>;
    applies(show: Show | undefined): boolean;
    redraw(): void;
  }
}

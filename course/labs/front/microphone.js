/** Records a few seconds of the microphone, where the browser offers one, and lets go of it at once. */

import { samplesAt } from "./waves.js";

const NOT_OFFERED = "This browser offers no microphone here: it does so on this machine (localhost) and over https.";

/**
 * Why there is no recording, in a sentence.
 * @param {unknown} error
 */
export function whyNot(error) {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "The microphone was refused. Allow it for this page in the browser, and press Record again.";
  if (name === "NotFoundError") return "No microphone was found. The clips can be listened to all the same.";
  if (name === "NotReadableError") return "The microphone is in use by another program.";
  return `The recording failed${name && `: ${name}`}.`;
}

/** One recording: `start` asks for the microphone, `stop` lets go of it and gives the samples. */
export class Microphone {
  /**
   * @param {number} rate - samples a second that are wanted
   * @param {number} longest - seconds
   */
  constructor(rate, longest) {
    this.rate = rate;
    this.longest = longest;
    /** @type {MediaStream | null} */
    this.stream = null;
    /** @type {MediaRecorder | null} */
    this.recorder = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.wanted = false;
  }

  /** Why there is none, before anything is asked; "" where there is. */
  get missing() {
    return "mediaDevices" in navigator && typeof MediaRecorder !== "undefined" ? "" : NOT_OFFERED;
  }

  /**
   * Record until `stop`, or for the longest time; then `done` gets the samples, or `failed` a sentence.
   * @param {{ begun: () => void, done: (samples: Float32Array) => void, failed: (why: string) => void }} then
   */
  async start({ begun, done, failed }) {
    if (this.missing) return failed(this.missing);
    this.wanted = true;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
      this.stream = stream;
      if (!this.wanted) return this.release(); // the lab has gone meanwhile
      const recorder = this.recorder = new MediaRecorder(stream);
      /** @type {Blob[]} */
      const parts = [];
      recorder.addEventListener("dataavailable", ({ data }) => parts.push(data));
      recorder.addEventListener("stop", async () => {
        const wanted = this.wanted;
        this.release();
        if (!wanted) return;
        try {
          done(await readBlob(new Blob(parts), this.rate, this.longest));
        } catch (error) {
          failed(whyNot(error));
        }
      });
      recorder.start();
      this.timer = setTimeout(() => this.stop(), 1000 * this.longest);
      begun();
    } catch (error) {
      this.release();
      failed(whyNot(error));
    }
  }

  stop() {
    clearTimeout(this.timer);
    if (this.recorder?.state === "recording") this.recorder.stop();
  }

  /** Drop a recording that is under way. */
  abandon() {
    this.wanted = false;
    this.stop();
    this.release();
  }

  release() {
    clearTimeout(this.timer);
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = this.recorder = null;
    this.wanted = false;
  }
}

/**
 * The samples of a recorded blob, one channel, at this rate.
 * @param {Blob} blob
 * @param {number} rate
 * @param {number} longest - seconds
 */
async function readBlob(blob, rate, longest) {
  const reader = new OfflineAudioContext(1, 1, 48000);
  const sound = await reader.decodeAudioData(await blob.arrayBuffer());
  const context = new OfflineAudioContext(1, samplesAt(sound.duration, rate, longest), rate);
  const source = context.createBufferSource();
  source.buffer = sound;
  source.connect(context.destination); // mixes the channels to one, and filters before it resamples
  source.start();
  return (await context.startRendering()).getChannelData(0);
}

// Search from a folder or a USB stick: a browser starts no worker from a file, so the script runs in a hidden frame.
// The search looks for the name IFrameWorker in the page around it.
if (location.protocol === "file:") {
  class IFrameWorker extends EventTarget {
    constructor(url) {
      super();
      this.waiting = [];
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.title = "search";
      document.body.append(frame);
      this.inside = frame.contentWindow;
      const script = this.inside.document.createElement("script");
      // The script answers by postMessage, which in a frame would go to the frame itself.
      this.inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      script.onload = () => {
        this.ready = true;
        this.waiting.forEach((data) => this.postMessage(data));
      };
      script.src = new URL(url, location).href;
      this.inside.document.body.append(script);
    }

    postMessage(data) {
      if (this.ready) this.inside.dispatchEvent(new MessageEvent("message", { data }));
      else this.waiting.push(data);
    }

    terminate() {}
  }
  window.IFrameWorker = window.Worker = IFrameWorker;
}

// The ring of the softphone: two seconds of it, four of silence, until it is stopped.

// At the device that was chosen for it, where the user hears it with the headset laid down.
export function ring(device: string | null): () => void {
  const context = new AudioContext();
  const gain = context.createGain();
  gain.gain.value = 0;
  const silence = device === null ? null : at(device, context, gain);
  if (silence === null) gain.connect(context.destination);
  for (const hertz of [440, 480]) {
    const oscillator = context.createOscillator();
    oscillator.frequency.value = hertz;
    oscillator.connect(gain);
    oscillator.start();
  }
  for (let round = 0; round < 40; round += 1) {
    const from = context.currentTime + round * 6;
    gain.gain.setValueAtTime(0.12, from);
    gain.gain.setValueAtTime(0, from + 2);
  }
  return () => {
    silence?.();
    void context.close();
  };
}

// An element can be sent to a device in each browser, a context in some. One that was unplugged
// rings where everything else does.
function at(device: string, context: AudioContext, sound: AudioNode): () => void {
  const out = context.createMediaStreamDestination();
  sound.connect(out);
  const speaker = document.createElement('audio');
  speaker.hidden = true;
  speaker.srcObject = out.stream;
  document.body.append(speaker);
  const chosen = speaker.setSinkId?.(device) ?? Promise.resolve();
  void chosen
    .catch(() => undefined)
    .then(() => {
      speaker.dataset['ringsAt'] = speaker.sinkId ?? '';
      return speaker.play();
    })
    .catch(() => undefined);
  return () => {
    speaker.srcObject = null;
    speaker.remove();
  };
}

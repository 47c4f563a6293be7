// Camera and microphone, as much of them as there is.

const IDEAL_VIDEO = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
const AUDIO = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

const WHY = {
  NotAllowedError: 'The browser was not allowed to use camera and microphone.',
  NotFoundError: 'No camera and no microphone were found.',
  NotReadableError: 'Camera or microphone are in use by another program.',
};

/* {tracks, note}: tracks may be empty; note then says why, for the user. */
export async function capture({ audio = true, video = true } = {}) {
  if (!audio && !video)
    return { tracks: [], note: '' };
  if (!navigator.mediaDevices)
    return { tracks: [], note: 'Browsers hand out camera and microphone only on https:// and on localhost, so you can watch.' };
  let reason = null;
  for (const [withAudio, withVideo] of [[true, true], [true, false], [false, true]]) {
    if ((withAudio && !audio) || (withVideo && !video))
      continue;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: withAudio && AUDIO, video: withVideo && IDEAL_VIDEO });
      const missing = audio && !withAudio ? 'No microphone was found; the others can see you.'
        : video && !withVideo ? 'No camera was found; the others can hear you.' : '';
      return { tracks: stream.getTracks(), note: missing };
    } catch (error) {
      reason = error;
      if (error.name === 'NotAllowedError')
        break;                           /* asking again, for less, would only annoy */
    }
  }
  return { tracks: [], note: `${WHY[reason?.name] ?? 'Camera and microphone can’t be used.'} You can watch.` };
}

export function release(tracks) {
  for (const track of tracks)
    track.stop();
}

// Decodes what the server sends into microvolts and smooths it for display.
interface Wire {
  taken_at: string | null;
  sampling_hz: number;
  duration: number;
  leads: string[];
  derived_leads: string[];
  flat_leads: string[];
  microvolts_per_unit: number;
  filters: { low_hz: number | null; high_hz: number | null; notch_hz: number | null };
  samples: string[];
}

export interface Recording {
  takenAt: Date | null;
  hz: number;
  duration: number;
  leads: string[];
  derived: string[];
  flat: string[];
  cartFilter: string;
  traces: Float32Array[];
}

export async function load(address: string): Promise<Recording> {
  const answer = await fetch(address, { headers: { Accept: "application/json" }, credentials: "same-origin" });
  if (!answer.ok) throw new Error(`${answer.status}`);
  const wire = (await answer.json()) as Wire;
  const { low_hz: low, high_hz: high, notch_hz: notch } = wire.filters;
  return {
    takenAt: wire.taken_at === null ? null : new Date(wire.taken_at),
    hz: wire.sampling_hz,
    duration: wire.duration,
    leads: wire.leads,
    derived: wire.derived_leads,
    flat: wire.flat_leads,
    cartFilter: high === null ? "" : `${low ?? 0}–${high} Hz${notch === null ? "" : ` / ${notch} Hz`}`,
    traces: wire.samples.map((text) => decode(text, wire.microvolts_per_unit)),
  };
}

function decode(text: string, unit: number): Float32Array {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const trace = new Float32Array(bytes.length / 2);
  for (let place = 0; place < trace.length; place++) trace[place] = view.getInt16(place * 2, true) * unit;
  return trace;
}

// Second-order Butterworth low pass, forward and backward: no shift in time. For the eye only.
export function smoothed(trace: Float32Array, hz: number, cutoff = 40): Float32Array {
  const tangent = Math.tan((Math.PI * cutoff) / hz);
  const norm = 1 / (1 + Math.SQRT2 * tangent + tangent * tangent);
  const b = tangent * tangent * norm;
  const a1 = 2 * (tangent * tangent - 1) * norm;
  const a2 = (1 - Math.SQRT2 * tangent + tangent * tangent) * norm;
  const pass = (input: Float32Array): Float32Array => {
    const output = new Float32Array(input.length);
    const first = input[0] ?? 0;
    let [x1, x2, y1, y2] = [first, first, first, first];
    for (let place = 0; place < input.length; place++) {
      const x = input[place] ?? 0;
      const y = b * (x + 2 * x1 + x2) - a1 * y1 - a2 * y2;
      [x2, x1, y2, y1] = [x1, x, y1, y];
      output[place] = y;
    }
    return output;
  };
  return pass(pass(trace).reverse()).reverse();
}

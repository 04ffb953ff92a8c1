import { ConfigError } from '../errors.ts';
import { CounterRandom } from './counter-random.ts';
import { avroName, type AvroRecordSchema, type ReadingValue, type Readings } from './readings.ts';

export interface SimulateOptions {
  /** Sensors in the fleet, 1 or more. */
  readonly sensors: number;
  readonly seed: number;
  /** Names the schema. */
  readonly topic: string;
  readonly keyField?: string | undefined;
  readonly timeField?: string | undefined;
}

/** Event time of the first reading. */
const startMs = Date.UTC(2025, 0, 1);
/** Each sensor speaks this often; the fleet takes turns within it. */
const periodMs = 10_000;
const dayMs = 86_400_000;
const sites = ['coast', 'forest', 'hill', 'plain', 'valley'];

/** Streams of random numbers of one sensor; there is room for this many. */
const streamsOfSensor = 16;

const double = 'double';

/**
 * A fleet of machines that speak in turn: sensor `n mod sensors` says its reading number `⌊n / sensors⌋`. Temperature
 * follows the day, load its own duty, and `power` (watts, the target) is a smooth function of load and temperature, plus
 * a slow drift that only the machine's own past shows, plus noise. No value is missing.
 * @throws ConfigError `config.invalid` where a named field does not exist.
 */
export function simulate(options: SimulateOptions): Readings {
  const { sensors, seed } = options;
  const random = new CounterRandom(seed);
  const idDigits = Math.max(4, String(sensors - 1).length);
  const read = (n: number): Record<string, ReadingValue> => {
    const sensor = n % sensors;
    const seq = Math.floor(n / sensors);
    const measuredAt = startMs + seq * periodMs + Math.floor((sensor * periodMs) / sensors);
    return {
      sensorId: sensorIdOf(sensor, idDigits),
      seq,
      measuredAt,
      site: sites[Math.floor(random.uniform(-1, sensor) * sites.length)] ?? 'plain',
      ...signals(random, sensor * streamsOfSensor, seq, measuredAt),
    };
  };
  const schema = schemaFor(options.topic);
  const keyField = fieldOf(schema, '--key', options.keyField ?? 'sensorId');
  return {
    count: Infinity,
    schema,
    keyField,
    timeField: fieldOf(schema, '--time', options.timeField ?? 'measuredAt'),
    targetField: 'power',
    key: (n) => String(keyField === 'sensorId' ? sensorIdOf(n % sensors, idDigits) : read(n)[keyField]),
    value: read,
  };
}

function fieldOf(schema: AvroRecordSchema, option: string, name: string): string {
  const names = schema.fields.map((field) => field.name);
  if (names.includes(name)) return name;
  throw new ConfigError('config.invalid', `${option}: there is no field ${name}; there are ${names.join(', ')}`, {
    context: { key: option, value: name },
  });
}

function sensorIdOf(sensor: number, digits: number): string {
  return `sensor-${String(sensor).padStart(digits, '0')}`;
}

function signals(random: CounterRandom, stream: number, seq: number, timeMs: number): Record<string, number> {
  const dayPart = (2 * Math.PI * (timeMs % dayMs)) / dayMs;
  const noise = (index: number): number => random.normal(stream + index, seq);
  const wave = (index: number, periods: number): number => random.wave(stream + index, seq / periods);
  const temperature = 18 - 7 * Math.cos(dayPart) + 6 * wave(0, 2000) + 0.2 * noise(1);
  const humidity = Math.min(100, Math.max(5, 62 - 1.5 * (temperature - 18) + 12 * wave(2, 1200) + 0.8 * noise(3)));
  const pressure = 1013 + 9 * wave(4, 6000) + 0.15 * noise(5);
  const load = Math.min(1, Math.max(0, 0.55 + 0.45 * wave(6, 90) + 0.02 * noise(7)));
  const vibration = 0.4 + 2.1 * load * load + 0.3 * Math.abs(wave(8, 400)) + 0.05 * noise(9);
  const drift = 60 * wave(10, 300);
  const power = 80 + 920 * load ** 1.5 * (1 - 0.004 * (temperature - 18)) + 25 * vibration + drift + 6 * noise(11);
  return {
    temperature: rounded(temperature),
    humidity: rounded(humidity),
    pressure: rounded(pressure),
    vibration: rounded(vibration),
    load: rounded(load),
    power: rounded(power),
  };
}

/** To the thousandth, as instruments do. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

function schemaFor(topic: string): AvroRecordSchema {
  return {
    type: 'record',
    name: avroName(topic),
    fields: [
      { name: 'sensorId', type: 'string' },
      { name: 'seq', type: 'long' },
      { name: 'measuredAt', type: { type: 'long', logicalType: 'timestamp-millis' } },
      { name: 'site', type: 'string' },
      { name: 'temperature', type: double },
      { name: 'humidity', type: double },
      { name: 'pressure', type: double },
      { name: 'vibration', type: double },
      { name: 'load', type: double },
      { name: 'power', type: double },
    ],
  };
}

import avro from 'avsc';
import type { FieldPlan } from '../records.ts';
import type { Constants, Want } from './avro-columns.ts';
import { putMissing, readInto } from './avro-columns.ts';
import {
  chooseBranch,
  decline,
  passBytes,
  passShape,
  passText,
  readBoolean,
  readInt,
  readLength,
  readLong,
  scoped,
} from './avro-fragments.ts';
import { avroPath, branchesOf, memberType } from './avro-schema.ts';
import type { Shape } from './avro-shape.ts';
import { shapeOf } from './avro-shape.ts';

/** A wanted field and the way that is left to it. */
interface Wanted extends Want {
  readonly steps: readonly string[];
}

/** The code that reads one datum, as functions without heads: `bodies[0]` is called and calls the others. */
export interface AvroCode extends Constants {
  readonly bodies: readonly string[];
  /** Values that nobody wants and that have parts. */
  readonly shapes: readonly Shape[];
}

/** Longer functions are not optimized by the engine, at about 60 kB of its byte code. */
const longestBody = 30_000;

/**
 * Compiles a writer schema and the wanted fields to code that reads a datum in one pass; null where a wanted field lies
 * in a map, in several records of one union, or deeper than `depth` records. Every wanted field must be in the schema.
 */
export function compileAvro(type: avro.Type, plan: FieldPlan, depth: number): AvroCode | null {
  const compiler = new AvroCompiler(type, depth);
  const wants = [
    ...compiler.wanted(plan.numbers, 'number'),
    ...compiler.wanted(plan.texts, 'text'),
    ...compiler.wanted(plan.times, 'time'),
  ];
  return compiler.compile(wants);
}

class AvroCompiler {
  readonly #type: avro.Type;
  readonly #depth: number;
  readonly #bodies: string[] = [''];
  readonly #shapes: Shape[] = [];
  readonly #constants: Constants = { symbols: [] };
  readonly #shapeTable = new Map<avro.Type, Shape>();
  #isPossible = true;

  constructor(type: avro.Type, depth: number) {
    this.#type = type;
    this.#depth = depth;
  }

  wanted(fields: readonly string[], as: Want['as']): Wanted[] {
    return fields.map((field, column) => {
      const unit = avroPath(this.#type, field)?.unit ?? 'milliseconds';
      return { as, column, unit, steps: field.split('.') };
    });
  }

  compile(wants: readonly Wanted[]): AvroCode | null {
    const body = this.#value(this.#type, wants, 0);
    if (!this.#isPossible) return null;
    this.#bodies[0] = (this.#shapes.length === 0 ? '' : 'scanner.begin(bytes, end);\n') + body;
    return { bodies: this.#bodies, shapes: this.#shapes, symbols: this.#constants.symbols };
  }

  /** The code of one value inside of `depth` records. */
  #value(type: avro.Type, wants: readonly Wanted[], depth: number): string {
    if (wants.length === 0) return this.#pass(type, depth);
    const branches = branchesOf(type);
    if (branches[0] !== type) return this.#union(branches, wants, depth);
    if (wants.every(({ steps }) => steps.length === 0)) return readInto(underlying(type), wants, this.#constants);
    if (type instanceof avro.types.RecordType && wants.every(({ steps }) => steps.length > 0)) {
      return this.#record(type, wants, depth + 1);
    }
    // A field in a map has no place of its own.
    if (!(type instanceof avro.types.RecordType)) this.#isPossible = false;
    // A record that is wanted as a whole is no single value.
    return decline;
  }

  #record(type: avro.types.RecordType, wants: readonly Wanted[], depth: number): string {
    if (depth > this.#depth) this.#isPossible = false;
    if (!this.#isPossible) return decline;
    const pieces = type.fields.map((field) => {
      const within = wants.filter(({ steps }) => steps[0] === field.name);
      return scoped(
        this.#value(
          field.type,
          within.map((want) => ({ ...want, steps: want.steps.slice(1) })),
          depth,
        ),
      );
    });
    return this.#inBodies(pieces);
  }

  #union(branches: readonly avro.Type[], wants: readonly Wanted[], depth: number): string {
    return chooseBranch(branches.map((branch) => this.#branch(branch, branches, wants, depth)));
  }

  /** A path leads into the one branch that has its next step; the field is missing in null and in records that lack it. */
  #branch(branch: avro.Type, branches: readonly avro.Type[], wants: readonly Wanted[], depth: number): string {
    const missing: Wanted[] = [];
    const present: Wanted[] = [];
    for (const want of wants) {
      const [step] = want.steps;
      const hasStep = step !== undefined && memberType(branch, step) !== null;
      if (hasStep && branches.some((other) => other !== branch && memberType(other, step) !== null)) {
        this.#isPossible = false;
      }
      if (step === undefined || hasStep) present.push(want);
      else if (branch.typeName === 'null' || branch instanceof avro.types.RecordType) missing.push(want);
      else return decline;
    }
    return `${putMissing(missing)} ${this.#value(branch, present, depth)}`;
  }

  /** The code that passes over a value that nobody wants. */
  #pass(type: avro.Type, depth: number): string {
    const shape = shapeOf(type, this.#shapeTable);
    if (shape.kind === 'union') {
      const [first, second, third] = shape.branches;
      const isOptional = first?.kind === 'nothing' && second !== undefined && third === undefined;
      return isOptional ? chooseBranch(['', this.#passShape(second, depth)]) : this.#passParts(shape, depth);
    }
    return this.#passShape(shape, depth);
  }

  #passShape(shape: Shape, depth: number): string {
    switch (shape.kind) {
      case 'nothing':
        return '';
      case 'boolean':
        return readBoolean;
      case 'int':
        return readInt;
      case 'long':
        return readLong;
      case 'fixed':
        return passBytes(shape.size);
      case 'bytes':
        return `${readLength} at += length;`;
      case 'string':
        return passText;
      case 'enum':
      case 'items':
      case 'union':
      case 'record':
        return this.#passParts(shape, depth);
    }
  }

  #passParts(shape: Shape, depth: number): string {
    return passShape(this.#shapes.push(shape) - 1, depth);
  }

  /** Joins pieces; those that are too long together go into functions of their own. */
  #inBodies(pieces: readonly string[]): string {
    const groups: string[] = [''];
    for (const piece of pieces) {
      const group = groups.at(-1) ?? '';
      if (group !== '' && group.length + piece.length > longestBody) groups.push(piece);
      else groups[groups.length - 1] = group + piece;
    }
    if (groups.length === 1) return groups.join('');
    return groups
      .map((group) => {
        const body = this.#bodies.push(group) - 1;
        return `at = read${body}(bytes, view, at, end, row, sink); if (at < 0) ${decline}\n`;
      })
      .join('');
  }
}

function underlying(type: avro.Type): avro.Type {
  return type instanceof avro.types.LogicalType ? underlying(type.underlyingType) : type;
}

import { z } from 'zod';

/**
 * A choice is written as a bare name or as `{ name: options }`, and becomes `{ kind: name, ...options }`.
 * `choice({ standard: z.strictObject({ memory }), none: z.strictObject({}) })` takes `standard` and `{ standard: { memory: 5 } }`.
 */
export function choice<Options extends Readonly<Record<string, z.ZodObject>>>(options: Options) {
  type Chosen = { [Name in keyof Options & string]: { readonly kind: Name } & z.output<Options[Name]> }[keyof Options &
    string];
  type Name = keyof Options & string;
  type Written = Name | { [Each in Name]: Readonly<Record<Each, z.input<Options[Each]>>> }[Name];
  const names = Object.keys(options) as [string, ...string[]];
  const named = z
    .strictObject(
      Object.fromEntries(names.map((name) => [name, options[name]?.optional()])) as Record<string, z.ZodType>,
    )
    .refine((value) => Object.keys(value).length === 1, { error: `expected exactly one of ${names.join(', ')}` });
  const chosen = z.union([z.enum(names), named]).transform((value, context): Chosen => {
    if (typeof value !== 'string') {
      const [[kind, chosen] = ['', {}]] = Object.entries(value);
      return { kind, ...(chosen as object) } as Chosen;
    }
    // A bare name is the choice with all its defaults; a choice with a required option refuses to be bare.
    const parsed = options[value]?.safeParse({});
    for (const issue of parsed?.error?.issues ?? []) {
      context.addIssue({ code: 'custom', message: `${value}: ${issue.path.join('.')} is needed (${issue.message})` });
    }
    return { kind: value, ...(parsed?.data ?? {}) } as unknown as Chosen;
  });
  // The object form is made of names that only the caller's type knows.
  return chosen as unknown as z.ZodType<Chosen, Written>;
}

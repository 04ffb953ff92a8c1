import { runPythonWithPackages } from './command.ts';

/** Curves as TensorBoard shows them: by run and tag, [step, value]. */
export type Curves = Readonly<Record<string, Readonly<Record<string, readonly (readonly [number, number])[]>>>>;

/** Reads a folder with the real TensorBoard; needs `python-packages`. */
export async function readCurves(dir: string): Promise<Curves> {
  return (await runPythonWithPackages('curves.py', [dir])) as Curves;
}

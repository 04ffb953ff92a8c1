import avro from 'avsc';

/** How the bytes of a type are laid out: all that is needed to walk over a value without reading it. */
export type Shape =
  | { readonly kind: 'nothing' | 'boolean' | 'int' | 'long' | 'bytes' | 'string' }
  | { readonly kind: 'fixed'; readonly size: number }
  | { readonly kind: 'enum'; readonly symbolCount: number }
  | { kind: 'items'; readonly hasKeys: boolean; item: Shape }
  | { readonly kind: 'union'; branches: readonly Shape[] }
  | { readonly kind: 'record'; fields: readonly Shape[] };

/** The layout of a type. A type that contains itself gives a shape that does, hence the table of shapes begun. */
export function shapeOf(type: avro.Type, begun = new Map<avro.Type, Shape>()): Shape {
  const known = begun.get(type);
  if (known !== undefined) return known;
  const begin = <S extends Shape>(shape: S): S => {
    begun.set(type, shape);
    return shape;
  };
  const { types } = avro;
  if (type instanceof types.LogicalType) return shapeOf(type.underlyingType, begun);
  if (type instanceof types.RecordType) {
    const record = begin({ kind: 'record' as const, fields: [] as readonly Shape[] });
    record.fields = type.fields.map((field) => shapeOf(field.type, begun));
    return record;
  }
  if (type instanceof types.UnwrappedUnionType || type instanceof types.WrappedUnionType) {
    const union = begin({ kind: 'union' as const, branches: [] as readonly Shape[] });
    union.branches = type.types.map((branch) => shapeOf(branch, begun));
    return union;
  }
  if (type instanceof types.ArrayType || type instanceof types.MapType) {
    const isMap = type instanceof types.MapType;
    const items: Shape & { kind: 'items' } = begin({ kind: 'items', hasKeys: isMap, item: { kind: 'nothing' } });
    items.item = shapeOf(isMap ? (type.valuesType as avro.Type) : type.itemsType, begun);
    return items;
  }
  if (type instanceof types.EnumType) return { kind: 'enum', symbolCount: type.symbols.length };
  if (type instanceof types.FixedType) return { kind: 'fixed', size: type.size };
  return primitiveShape(type.typeName);
}

function primitiveShape(typeName: string): Shape {
  switch (typeName) {
    case 'null':
      return { kind: 'nothing' };
    case 'float':
      return { kind: 'fixed', size: 4 };
    case 'double':
      return { kind: 'fixed', size: 8 };
    case 'boolean':
    case 'int':
    case 'long':
    case 'bytes':
    case 'string':
      return { kind: typeName };
    default:
      throw new Error(`unknown Avro type ${typeName}`);
  }
}

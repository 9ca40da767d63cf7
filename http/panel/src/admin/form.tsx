// A form for a value of a schema. What the node finds wrong stands at its field, by pointer.

import { Checkbox } from 'react-aria-components';

import type { FieldProblem } from '../api/types';
import { Button, Choice, Field, LongField, style } from '../parts';
import { useSpoken } from '../text';
import { label } from '../text/fields';
import own from './admin.module.css';
import { blank, type Document, type Fields, type Json, LONG, names, resolve, type Schema, SECRETS, variants } from './schema';

interface InputProps {
  document: Document;
  schema: Schema;
  name: string;
  pointer: string;
  value: Json | undefined;
  errors: FieldProblem[];
  onChange: (value: Json) => void;
  isFixed?: boolean;
}

export function FieldsInput({
  document,
  schema,
  pointer,
  value,
  errors,
  onChange,
  fixed = [],
}: Omit<InputProps, 'name' | 'value'> & { value: Fields; fixed?: string[] }) {
  const properties = Object.entries(schema.properties ?? {});
  return (
    <>
      {properties.map(([name, property]) => (
        <AnyInput
          key={name}
          document={document}
          schema={property}
          name={name}
          pointer={`${pointer}/${name}`}
          value={value[name]}
          errors={errors}
          isFixed={fixed.includes(name)}
          onChange={(next) => onChange({ ...value, [name]: next })}
        />
      ))}
    </>
  );
}

function AnyInput(props: InputProps) {
  const { language } = useSpoken();
  const { schema, nullable } = resolve(props.document, props.schema);
  const text = label(props.name, language);
  const error = props.errors.find((it) => it.pointer === props.pointer)?.detail;
  const value = props.value ?? null;
  const choices = names(schema);
  const tagged = variants(props.document, schema);
  if (tagged !== null) return <VariantInput {...props} schema={schema} />;
  if (choices !== null) {
    const options = choices.map((id) => ({ id, name: id }));
    return (
      <Choice
        label={text}
        value={typeof value === 'string' ? value : ''}
        options={nullable || value === null ? [{ id: '', name: '–' }, ...options] : options}
        error={error}
        onChange={(next) => props.onChange(next === '' ? null : next)}
      />
    );
  }
  if (schema.type === 'boolean') return <Flag {...props} text={text} error={error} />;
  if (schema.type === 'array') return <Rows {...props} schema={schema} text={text} error={error} />;
  if (schema.type === 'object') return <Group {...props} schema={schema} nullable={nullable} text={text} error={error} />;
  if (LONG.includes(props.name)) {
    return <LongField label={text} value={String(value ?? '')} error={error} onChange={props.onChange} />;
  }
  const isNumber = schema.type === 'integer' || schema.type === 'number';
  return (
    <Field
      label={text}
      value={value === null ? '' : String(value)}
      error={error}
      isDisabled={props.isFixed ?? false}
      type={SECRETS.includes(props.name) ? 'password' : 'text'}
      autoComplete={SECRETS.includes(props.name) ? 'new-password' : 'off'}
      {...(isNumber ? { inputMode: 'numeric' as const } : {})}
      onChange={(next) => props.onChange(isNumber ? numeral(next) : next)}
    />
  );
}

// A text that is no number is sent as it is, so that the node says what is wrong with it.
function numeral(text: string): Json {
  if (text.trim() === '') return null;
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}

type More = InputProps & { text: string; error: string | undefined };

function Flag({ value, onChange, text, error }: More) {
  return (
    <div>
      <Checkbox className={own.flag ?? ''} isSelected={value === true} onChange={onChange}>
        <span className={own.box} aria-hidden />
        {text}
      </Checkbox>
      {error !== undefined && <p className={style.error}>{error}</p>}
    </div>
  );
}

function Rows({ document, schema, pointer, value, errors, onChange, text, error }: More) {
  const { text: words } = useSpoken();
  const rows = Array.isArray(value) ? value : [];
  const item = schema.items ?? {};
  return (
    <fieldset className={own.group}>
      <legend>{text}</legend>
      {error !== undefined && <p className={style.error}>{error}</p>}
      {rows.map((row, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name
        <div key={index} className={own.row}>
          <div className={own.fields}>
            <AnyInput
              document={document}
              schema={item}
              name={String(index + 1)}
              pointer={`${pointer}/${index}`}
              value={row}
              errors={errors}
              onChange={(next) => onChange(rows.map((it, at) => (at === index ? next : it)))}
            />
          </div>
          <Button
            aria-label={`${text}: ${words.admin.removeRow(index + 1)}`}
            onPress={() => onChange(rows.filter((_, at) => at !== index))}
          >
            ✕
          </Button>
        </div>
      ))}
      <div>
        <Button aria-label={`${text}: ${words.admin.addRow}`} onPress={() => onChange([...rows, blank(document, item)])}>
          {words.admin.addRow}
        </Button>
      </div>
    </fieldset>
  );
}

function Group({ document, schema, nullable, pointer, value, errors, onChange, text, error }: More & { nullable: boolean }) {
  const { text: words } = useSpoken();
  const isThere = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (schema.properties === undefined) return <Pairs value={isThere ? value : {}} text={text} error={error} onChange={onChange} />;
  return (
    <fieldset className={own.group}>
      <legend>{text}</legend>
      {error !== undefined && <p className={style.error}>{error}</p>}
      {nullable && (
        <Checkbox
          className={own.flag ?? ''}
          isSelected={isThere}
          onChange={(on) => onChange(on ? blank(document, { ...schema, default: undefined }) : null)}
        >
          <span className={own.box} aria-hidden />
          {words.admin.on}
        </Checkbox>
      )}
      {(isThere || !nullable) && (
        <FieldsInput
          document={document}
          schema={schema}
          pointer={pointer}
          value={isThere ? value : {}}
          errors={errors}
          onChange={onChange}
        />
      )}
    </fieldset>
  );
}

// Names and texts, such as pause reasons.
function Pairs({ value, text, error, onChange }: { value: Fields; text: string; error: string | undefined; onChange: (value: Json) => void }) {
  const { text: words } = useSpoken();
  const pairs = Object.entries(value);
  const put = (index: number, pair: [string, Json]) =>
    onChange(Object.fromEntries(pairs.map((it, at) => (at === index ? pair : it))));
  return (
    <fieldset className={own.group}>
      <legend>{text}</legend>
      {error !== undefined && <p className={style.error}>{error}</p>}
      {pairs.map(([key, it], index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the key is being written
        <div key={index} className={own.row}>
          <div className={own.fields}>
            <Field label={`${index + 1}.`} value={key} onChange={(next) => put(index, [next, it])} />
            <Field label={`${text} ${key}`} value={String(it ?? '')} onChange={(next) => put(index, [key, next])} />
          </div>
          <Button
            aria-label={`${text}: ${words.admin.removeRow(index + 1)}`}
            onPress={() => onChange(Object.fromEntries(pairs.filter((_, at) => at !== index)))}
          >
            ✕
          </Button>
        </div>
      ))}
      <div>
        <Button aria-label={`${text}: ${words.admin.addRow}`} onPress={() => onChange({ ...value, '': '' })}>
          {words.admin.addRow}
        </Button>
      </div>
    </fieldset>
  );
}

function VariantInput({ document, schema, name, pointer, value, errors, onChange }: InputProps) {
  const { language } = useSpoken();
  const all = variants(document, schema) ?? [];
  const tag = all[0]?.tag ?? 'kind';
  const given = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
  const chosen = all.find((it) => it.name === given[tag]) ?? all[0];
  if (chosen === undefined) return null;
  const { [tag]: _, ...rest } = chosen.schema.properties ?? {};
  const error = errors.find((it) => it.pointer === pointer || it.pointer === `${pointer}/${tag}`)?.detail;
  return (
    <fieldset className={own.group}>
      <legend>{label(name, language)}</legend>
      <Choice
        label={label(tag, language)}
        value={chosen.name}
        options={all.map((it) => ({ id: it.name, name: it.name }))}
        error={error}
        onChange={(next) => {
          const variant = all.find((it) => it.name === next);
          const fresh = variant === undefined ? {} : blank(document, variant.schema);
          onChange({ ...(fresh as Fields), [tag]: next });
        }}
      />
      <FieldsInput
        document={document}
        schema={{ ...chosen.schema, properties: rest }}
        pointer={pointer}
        value={given}
        errors={errors}
        onChange={onChange}
      />
    </fieldset>
  );
}

// AsyncAPI's own parser on the files named: one line of JSON each, with the file and what is wrong of it; warnings are left out.
import {readFileSync} from 'node:fs';
import {Parser} from '@asyncapi/parser';
import {AvroSchemaParser} from '@asyncapi/avro-schema-parser';

const ERROR = 0;
const avro = AvroSchemaParser();
const parser = new Parser();
parser.registerSchemaParser(avro);
for (const file of process.argv.slice(2)) {
  const text = readFileSync(file, 'utf8');
  const diagnostics = await parser.validate(text);
  const errors = diagnostics.filter((one) => one.severity === ERROR).map((one) => `${one.path.join('.')}: ${one.message}`);
  // Of a multi-format payload the parser's rules for 3.0 look at the frame alone; what stands in it is asked of its Avro parser.
  for (const [name, message] of Object.entries(JSON.parse(text).components.messages)) {
    const path = ['components', 'messages', name, 'payload', 'schema'];
    const wrong = await avro.validate({data: message.payload.schema, path, meta: {message}});
    errors.push(...wrong.map((one) => `${one.path.join('.')}: ${one.message}`));
  }
  console.log(JSON.stringify({file, errors}));
}

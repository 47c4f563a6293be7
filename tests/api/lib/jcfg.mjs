// Writes a configuration file from plain objects, in the dialect of conf/.

const scalar = v => typeof v === 'string' ? JSON.stringify(v) : String(v);

function value(v, indent) {
  if (Array.isArray(v)) {
    const grouped = v.some(item => typeof item === 'object');
    const items = v.map(item => value(item, indent + '  ')).join(', ');
    return grouped ? `( ${items} )` : `[ ${items} ]`;
  }
  if (typeof v === 'object')
    return `{\n${entries(v, indent + '  ')}${indent}}`;
  return scalar(v);
}

function entries(object, indent) {
  return Object.entries(object)
    .filter(([, v]) => v !== undefined)
    .map(([k, v]) => typeof v === 'object' && !Array.isArray(v) ? `${indent}${k}: ${value(v, indent)}\n` : `${indent}${k} = ${value(v, indent)}\n`)
    .join('');
}

export const jcfg = object => entries(object, '');

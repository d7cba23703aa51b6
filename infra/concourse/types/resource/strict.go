package resource

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// strict reads what a pipeline says. A field that a type does not know is an
// error: ignored, it would be a promise that nobody keeps, and a typing error
// would be found much later.
func strict(what string, text json.RawMessage, into any) error {
	if len(text) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil {
		return nil
	}
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		return fmt.Errorf("%s.%s is a JSON %s, wanted %s", what, wrong.Field, wrong.Value, wrong.Type)
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Errorf("%s has the field %s, wanted some of: %s", what, field, strings.Join(fields(into), ", "))
	}
	return fmt.Errorf("%s: %w", what, err)
}

// fields are the names in JSON of what into points to.
func fields(into any) []string {
	var names []string
	for i, t := 0, reflect.TypeOf(into).Elem(); t.Kind() == reflect.Struct && i < t.NumField(); i++ {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

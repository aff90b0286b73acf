// Package health runs the health script for Argo CD in the Lua machine that Argo CD uses.
package health

import (
	"fmt"
	"os"

	lua "github.com/yuin/gopher-lua"
)

// Verdict is what Argo CD shows.
type Verdict struct{ Status, Message string }

// Of is the verdict of a script on an object, which the script knows as `obj`. The machine has only the libraries that Argo CD
// opens unless it is told otherwise.
func Of(script string, object map[string]any) (Verdict, error) {
	text, err := os.ReadFile(script)
	if err != nil {
		return Verdict{}, err
	}
	machine := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer machine.Close()
	for name, open := range map[string]lua.LGFunction{lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable} {
		if err := machine.CallByParam(lua.P{Fn: machine.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			return Verdict{}, err
		}
	}
	machine.SetGlobal("obj", value(machine, object))
	if err := machine.DoString(string(text)); err != nil {
		return Verdict{}, err
	}
	answer, isTable := machine.Get(-1).(*lua.LTable)
	if !isTable {
		return Verdict{}, fmt.Errorf("the script returned %s and not a table", machine.Get(-1).Type())
	}
	return Verdict{Status: lua.LVAsString(answer.RawGetString("status")), Message: lua.LVAsString(answer.RawGetString("message"))}, nil
}

// value is what decoded JSON is in Lua.
func value(machine *lua.LState, decoded any) lua.LValue {
	switch decoded := decoded.(type) {
	case map[string]any:
		table := machine.NewTable()
		for name, entry := range decoded {
			table.RawSetString(name, value(machine, entry))
		}
		return table
	case []any:
		table := machine.NewTable()
		for _, entry := range decoded {
			table.Append(value(machine, entry))
		}
		return table
	case string:
		return lua.LString(decoded)
	case bool:
		return lua.LBool(decoded)
	case float64:
		return lua.LNumber(decoded)
	case int:
		return lua.LNumber(decoded)
	}
	return lua.LNil
}

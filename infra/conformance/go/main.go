// The official Go ticker, unmodified, in a process of its own.
// argv: root, api_key, access_token, mode, comma-separated tokens. Prints one JSON line per event.
package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"

	kiteconnect "github.com/zerodha/gokiteconnect/v4"
	"github.com/zerodha/gokiteconnect/v4/models"
	kiteticker "github.com/zerodha/gokiteconnect/v4/ticker"
)

func say(event map[string]interface{}) {
	line, err := json.Marshal(event)
	if err == nil {
		fmt.Println(string(line))
	}
}

func main() {
	root, err := url.Parse(os.Args[1])
	if err != nil {
		panic(err)
	}
	var wanted []uint32
	for _, text := range strings.Split(os.Args[5], ",") {
		token, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			panic(err)
		}
		wanted = append(wanted, uint32(token))
	}
	ticker := kiteticker.New(os.Args[2], os.Args[3])
	ticker.SetRootURL(*root)
	ticker.OnConnect(func() {
		if err := ticker.Subscribe(wanted); err != nil {
			say(map[string]interface{}{"kind": "error", "message": err.Error()})
		}
		if err := ticker.SetMode(kiteticker.Mode(os.Args[4]), wanted); err != nil {
			say(map[string]interface{}{"kind": "error", "message": err.Error()})
		}
	})
	ticker.OnTick(func(tick models.Tick) {
		say(map[string]interface{}{
			"kind":             "tick",
			"instrument_token": tick.InstrumentToken,
			"mode":             tick.Mode,
			"last_price":       tick.LastPrice,
		})
	})
	ticker.OnOrderUpdate(func(order kiteconnect.Order) {
		say(map[string]interface{}{"kind": "order", "status": order.Status, "tag": order.Tag})
	})
	ticker.OnError(func(err error) {
		say(map[string]interface{}{"kind": "error", "message": err.Error()})
	})
	ticker.Serve()
}

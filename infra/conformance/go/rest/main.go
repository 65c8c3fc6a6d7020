// The official Go client, unmodified, through a whole order life and what it can read.
// argv: root, api_key, access_token. Prints one JSON line; exits 1 with what is not as it should be.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	kiteconnect "github.com/zerodha/gokiteconnect/v4"
)

const infy = 408065

func check(what string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func must(what string, holds bool) {
	if !holds {
		check(what, fmt.Errorf("is not so"))
	}
}

// Asks again, also where it was too much; in the broker's own pace.
func until(what string, condition func() (bool, error)) {
	var last error
	for i := 0; i < 100; i++ {
		holds, err := condition()
		if err == nil && holds {
			return
		}
		last = err
		time.Sleep(200 * time.Millisecond)
	}
	check(what+": not within 20 s", fmt.Errorf("%v", last))
}

func main() {
	kite := kiteconnect.New(os.Args[2])
	kite.SetAccessToken(os.Args[3])
	kite.SetBaseURI(os.Args[1])

	found := func(orderID string) (kiteconnect.Order, error) {
		orders, err := kite.GetOrders()
		for _, order := range orders {
			if order.OrderID == orderID {
				return order, err
			}
		}
		return kiteconnect.Order{}, err
	}
	stands := func(orderID string, status string) func() (bool, error) {
		return func() (bool, error) {
			order, err := found(orderID)
			return order.Status == status, err
		}
	}
	order := kiteconnect.OrderParams{
		Exchange: "NSE", Tradingsymbol: "INFY", TransactionType: "BUY", Product: "CNC", OrderType: "LIMIT",
		Quantity: 1, Price: 1160, Validity: "DAY", Tag: "go",
	}
	placed, err := kite.PlaceOrder("regular", order)
	check("place", err)
	until("it is open", stands(placed.OrderID, "OPEN"))
	order.Price = 1161
	order.Tag = ""
	modified, err := kite.ModifyOrder("regular", placed.OrderID, order)
	check("modify", err)
	must("a modify answers its order", modified.OrderID == placed.OrderID)
	until("it is modified", func() (bool, error) {
		order, err := found(placed.OrderID)
		return order.Price == 1161 && order.Tag == "go" && !order.OrderTimestamp.IsZero(), err
	})
	_, err = kite.CancelOrder("regular", placed.OrderID, nil)
	check("cancel", err)
	until("it is cancelled", stands(placed.OrderID, "CANCELLED"))
	until("its history", func() (bool, error) {
		history, err := kite.GetOrderHistory(placed.OrderID)
		return len(history) > 0, err
	})

	order.Price = 1650
	filled, err := kite.PlaceOrder("regular", order)
	check("place one that fills", err)
	until("it is filled", stands(filled.OrderID, "COMPLETE"))
	time.Sleep(time.Second)
	trades, err := kite.GetOrderTrades(filled.OrderID)
	check("trades", err)
	must("it has a trade", len(trades) > 0 && trades[0].OrderID == filled.OrderID)
	positions, err := kite.GetPositions()
	check("positions", err)
	must("there is a position", len(positions.Net) > 0)
	holdings, err := kite.GetHoldings()
	check("holdings", err)
	must("there are holdings", len(holdings) > 0)
	summary, err := kite.GetHoldingsSummary()
	check("holdings in sums", err)
	must("they are worth something", summary.CurrentValue > 0)
	compact, err := kite.GetHoldingsCompact()
	check("holdings in short", err)
	must("as many in short", len(compact) == len(holdings))
	authorisation, err := kite.InitiateHoldingsAuth(kiteconnect.HoldingAuthParams{
		Type:        "equity",
		Instruments: []kiteconnect.HoldingsAuthInstruments{{ISIN: holdings[0].ISIN, Quantity: 1}},
	})
	check("an authorisation", err)
	must("it has an id", authorisation.RequestID != "")
	time.Sleep(time.Second)
	margins, err := kite.GetUserMargins()
	check("funds", err)
	must("there is money", margins.Equity.Net > 0)
	_, err = kite.GetFullUserProfile()
	check("profile", err)
	basket, err := kite.GetBasketMargins(kiteconnect.GetBasketParams{
		Compact: true, ConsiderPositions: true,
		OrderParams: []kiteconnect.OrderMarginParam{{
			Exchange: "NSE", Tradingsymbol: "INFY", TransactionType: "BUY", Variety: "regular", Product: "CNC",
			OrderType: "LIMIT", Quantity: 1, Price: 1500,
		}},
	})
	check("basket margins", err)
	must("a basket needs money", basket.Initial.Total > 0)
	allotted, err := kite.GetMFAllottedISINs()
	check("allotments", err)
	must("a fund was allotted", len(allotted) > 0)
	_, err = kite.GetMFHoldingInfo(allotted[0])
	check("trades of a fund", err)
	_, err = kite.GetMFOrders()
	check("orders of funds", err)
	_, err = kite.GetMFSIPs()
	check("plans of funds", err)
	until("it is quoted", func() (bool, error) {
		quotes, err := kite.GetQuote("NSE:INFY")
		return quotes["NSE:INFY"].InstrumentToken == infy, err
	})
	listed, err := kite.GetInstrumentsByExchange("NSE")
	check("instruments", err)
	must("they are many, and the last is one", len(listed) > 10 && listed[len(listed)-1].InstrumentToken > 0)
	day := func(text string) time.Time {
		at, err := time.Parse("2006-01-02", text)
		check(text, err)
		return at
	}
	candles, err := kite.GetHistoricalData(infy, "day", day("2026-11-02"), day("2026-11-06"), false, true)
	check("candles", err)
	must("a candle a day", len(candles) == 5)
	time.Sleep(time.Second)
	_, err = kite.CancelOrder("regular", "999", nil)
	refused, known := err.(kiteconnect.Error)
	must("an unknown order is an input error", known && refused.ErrorType == kiteconnect.InputError)
	_, err = kite.InvalidateAccessToken()
	check("logging out", err)
	_, err = kite.GetUserProfile()
	check("still logged in", err)
	line, _ := json.Marshal(map[string]string{"client": "gokiteconnect v4", "order_id": placed.OrderID})
	fmt.Println(string(line))
}

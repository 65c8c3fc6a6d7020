module ticker/conformance

go 1.19

require github.com/zerodha/gokiteconnect/v4 v4.4.0

// SPDX-License-Identifier: Apache-2.0

// Unary calls with ttrpc, which containerd and its shims speak.
package main

import (
	"context"
	"net"
	"os"

	"github.com/containerd/ttrpc"

	"petrel/echo"
)

func serve(listener net.Listener, stop <-chan os.Signal) error {
	server, err := ttrpc.NewServer()
	if err != nil {
		return err
	}
	server.Register(echo.Service, map[string]ttrpc.Method{
		"Say": func(_ context.Context, unmarshal func(interface{}) error) (interface{}, error) {
			var request echo.EchoMessage
			if err := unmarshal(echo.Coded(&request)); err != nil {
				return nil, err
			}
			return echo.Coded(&request), nil
		},
	})
	go func() {
		<-stop
		server.Close()
	}()
	if err := server.Serve(context.Background(), listener); err != ttrpc.ErrServerClosed {
		return err
	}
	return nil
}

func dial(socket string) (echo.Say, error) {
	connection, err := net.Dial("unix", socket)
	if err != nil {
		return nil, err
	}
	client := ttrpc.NewClient(connection)
	return func(request, answer *echo.EchoMessage) error {
		return client.Call(context.Background(), echo.Service, "Say", echo.Coded(request), echo.Coded(answer))
	}, nil
}

func main() {
	echo.Main(echo.Program{Serve: serve, Dial: dial})
}

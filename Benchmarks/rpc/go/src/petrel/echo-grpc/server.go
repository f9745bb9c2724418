// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"

	"google.golang.org/grpc"

	"petrel/echo"
)

// The types that generated code would bring.
type echoServer interface {
	Say(context.Context, *echo.EchoMessage) (*echo.EchoMessage, error)
	Flow(*echo.FlowRequest, grpc.ServerStream) error
	Talk(grpc.ServerStream) error
}

var description = grpc.ServiceDesc{
	ServiceName: echo.Service,
	HandlerType: (*echoServer)(nil),
	Methods:     []grpc.MethodDesc{{MethodName: "Say", Handler: handleSay}},
	Streams: []grpc.StreamDesc{
		{StreamName: "Flow", Handler: handleFlow, ServerStreams: true},
		{StreamName: "Talk", Handler: handleTalk, ServerStreams: true, ClientStreams: true},
	},
}

func handleSay(service interface{}, ctx context.Context, decode func(interface{}) error,
	interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	request := new(echo.EchoMessage)
	if err := decode(request); err != nil {
		return nil, err
	}
	return service.(echoServer).Say(ctx, request)
}

func handleFlow(service interface{}, stream grpc.ServerStream) error {
	request := new(echo.FlowRequest)
	if err := stream.RecvMsg(request); err != nil {
		return err
	}
	return service.(echoServer).Flow(request, stream)
}

func handleTalk(service interface{}, stream grpc.ServerStream) error {
	return service.(echoServer).Talk(stream)
}

type server struct{}

func (server) Say(_ context.Context, request *echo.EchoMessage) (*echo.EchoMessage, error) {
	return request, nil
}

func (server) Flow(request *echo.FlowRequest, stream grpc.ServerStream) error {
	payload := bytes.Repeat([]byte("x"), int(request.ChunkBytes))
	for left := request.Bytes; left > 0; {
		count := uint64(len(payload))
		if left < count {
			count = left
		}
		if err := stream.SendMsg(&echo.EchoMessage{Payload: payload[:count]}); err != nil {
			return err
		}
		left -= count
	}
	return nil
}

func (server) Talk(stream grpc.ServerStream) error {
	for {
		message := new(echo.EchoMessage)
		if err := stream.RecvMsg(message); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.SendMsg(message); err != nil {
			return err
		}
	}
}

func serve(listener net.Listener, stop <-chan os.Signal) error {
	grpcServer := grpc.NewServer()
	grpcServer.RegisterService(&description, server{})
	go func() {
		<-stop
		grpcServer.Stop()
	}()
	return grpcServer.Serve(listener)
}

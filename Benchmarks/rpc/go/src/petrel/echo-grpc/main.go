// SPDX-License-Identifier: Apache-2.0

// gRPC as Go programs have it, with the settings that they get when they ask for none.
package main

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"petrel/echo"
)

const deadline = 60 * time.Second

func connect(socket string) (*grpc.ClientConn, error) {
	return grpc.Dial("unix:"+socket, grpc.WithInsecure())
}

func dial(socket string) (echo.Say, error) {
	connection, err := connect(socket)
	if err != nil {
		return nil, err
	}
	return func(request, answer *echo.EchoMessage) error {
		return connection.Invoke(context.Background(), "/"+echo.Service+"/Say", request, answer)
	}, nil
}

func flow(socket string, bytes uint64, chunk uint32) error {
	connection, err := connect(socket)
	if err != nil {
		return err
	}
	begin := time.Now()
	stream, err := connection.NewStream(
		context.Background(), &grpc.StreamDesc{ServerStreams: true}, "/"+echo.Service+"/Flow")
	if err != nil {
		return err
	}
	if err := stream.SendMsg(&echo.FlowRequest{Bytes: bytes, ChunkBytes: chunk}); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	var received uint64
	for {
		var message echo.EchoMessage
		if err := stream.RecvMsg(&message); err == io.EOF {
			break
		} else if err != nil {
			return err
		}
		received += uint64(len(message.Payload))
	}
	if received != bytes {
		return fmt.Errorf("Flow sent %d bytes, not %d", received, bytes)
	}
	fmt.Printf("{\"bytes\":%d,\"seconds\":%.6f}\n", bytes, time.Since(begin).Seconds())
	return nil
}

// One talk: opened and answered once. An error says why it is not.
func talk(ctx context.Context, connection *grpc.ClientConn) (grpc.ClientStream, error) {
	stream, err := connection.NewStream(
		ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/"+echo.Service+"/Talk")
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(&echo.EchoMessage{Text: "hello"}); err != nil {
		return nil, err
	}
	return stream, stream.RecvMsg(&echo.EchoMessage{})
}

func finish(stream grpc.ClientStream) error {
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if err := stream.RecvMsg(&echo.EchoMessage{}); err != io.EOF {
		return fmt.Errorf("a stream did not end well: %v", err)
	}
	return nil
}

func streams(socket string, count int) error {
	connection, err := connect(socket)
	if err != nil {
		return err
	}
	opening, cancel := context.WithCancel(context.Background())
	timer := time.AfterFunc(deadline, cancel)
	opened := make(chan grpc.ClientStream, count)
	var failed, refused int64
	for index := 0; index < count; index++ {
		go func() {
			stream, err := talk(opening, connection)
			if status.Code(err) == codes.Unavailable {
				atomic.AddInt64(&refused, 1)
			} else if err != nil {
				atomic.AddInt64(&failed, 1)
			}
			if err != nil {
				stream = nil
			}
			opened <- stream
		}()
	}
	var open []grpc.ClientStream
	for index := 0; index < count; index++ {
		if stream := <-opened; stream != nil {
			open = append(open, stream)
		}
	}
	timer.Stop()
	// The library does not tell of a GOAWAY.
	fmt.Printf("{\"open\":%d,\"failed\":%d,\"refused\":%d,\"goaway\":0,\"server_kb_note\":\"\"}\n",
		len(open), failed, refused)
	echo.WaitForEndOfInput()
	for _, stream := range open {
		if err := finish(stream); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	echo.Main(echo.Program{Serve: serve, Dial: dial, Flow: flow, Streams: streams})
}

// SPDX-License-Identifier: Apache-2.0

package echo

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
)

// Service is the full name of the service in echo.proto.
const Service = "petrel.benchmark.v1.Echo"

// Program is what a library can do; what it lacks is nil. Each function is one of the commands of ../../../../README.md.
type Program struct {
	Serve   func(listener net.Listener, stop <-chan os.Signal) error
	Dial    func(socket string) (Say, error)
	Flow    func(socket string, bytes uint64, chunk uint32) error
	Streams func(socket string, count int) error
}

// Say makes one call on the connection that it stands for.
type Say func(request, answer *EchoMessage) error

type options struct {
	calls, inFlight, warmUp, connections, count, chunk int
	bytes                                              uint64
}

func parsed(arguments []string) (options, error) {
	var options options
	flags := flag.NewFlagSet("echo", flag.ContinueOnError)
	flags.IntVar(&options.calls, "calls", 1, "")
	flags.IntVar(&options.inFlight, "in-flight", 1, "")
	flags.IntVar(&options.warmUp, "warm-up", 0, "")
	flags.IntVar(&options.connections, "connections", 1, "")
	flags.IntVar(&options.count, "count", 1, "")
	flags.IntVar(&options.chunk, "chunk", 1, "")
	flags.Uint64Var(&options.bytes, "bytes", 0, "")
	return options, flags.Parse(arguments)
}

// Main runs the command that the arguments ask for, and ends the process.
func Main(program Program) {
	if err := run(program, os.Args[1:]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[0], err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(program Program, arguments []string) error {
	if len(arguments) < 2 {
		return fmt.Errorf("a command and a socket are missing")
	}
	command, socket := arguments[0], arguments[1]
	options, err := parsed(arguments[2:])
	switch {
	case err != nil:
		return err
	case command == "serve":
		return serve(program, socket)
	case command == "unary":
		return unary(program.Dial, socket, options)
	case command == "idle":
		return idle(program.Dial, socket, options.connections)
	case command == "flow" && program.Flow != nil:
		return program.Flow(socket, options.bytes, uint32(options.chunk))
	case command == "streams" && program.Streams != nil:
		return program.Streams(socket, options.count)
	}
	return fmt.Errorf("%s: this program has no such command", command)
}

func serve(program Program, socket string) error {
	os.Remove(socket)
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	fmt.Println("ready")
	return program.Serve(listener, stop)
}

func idle(dial func(string) (Say, error), socket string, connections int) error {
	held := make([]Say, connections)
	for index := range held {
		say, err := dial(socket)
		if err != nil {
			return err
		}
		if err := say(&EchoMessage{Text: "hello"}, &EchoMessage{}); err != nil {
			return err
		}
		held[index] = say
	}
	fmt.Println("ready")
	WaitForEndOfInput()
	return nil
}

// WaitForEndOfInput returns when there is nothing more to read.
func WaitForEndOfInput() {
	io.Copy(io.Discard, os.Stdin)
}

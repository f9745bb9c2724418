// SPDX-License-Identifier: Apache-2.0

package echo

import (
	"bytes"
	"fmt"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func unary(dial func(string) (Say, error), socket string, options options) error {
	say, err := dial(socket)
	if err != nil {
		return err
	}
	if _, err := calls(say, options.warmUp, options.inFlight); err != nil {
		return err
	}
	processor, begin := processorTime(), time.Now()
	durations, err := calls(say, options.calls, options.inFlight)
	if err != nil {
		return err
	}
	seconds, used := time.Since(begin).Seconds(), processorTime()-processor
	sort.Slice(durations, func(i, j int) bool { return durations[i] < durations[j] })
	micros := func(part int) float64 { return float64(durations[len(durations)*part/100].Nanoseconds()) / 1e3 }
	fmt.Printf("{\"calls\":%d,\"seconds\":%.6f,\"p50_us\":%.3f,\"p99_us\":%.3f,\"cpu_us\":%.3f}\n",
		options.calls, seconds, micros(50), micros(99), float64(used.Nanoseconds())/1e3/float64(options.calls))
	return nil
}

// The durations of `count` calls, of which `inFlight` are made at a time.
func calls(say Say, count, inFlight int) ([]time.Duration, error) {
	durations := make([]time.Duration, count)
	var next int64 = -1
	var failure atomic.Value
	var lanes sync.WaitGroup
	for lane := 0; lane < inFlight; lane++ {
		lanes.Add(1)
		go func() {
			defer lanes.Done()
			request := &EchoMessage{Text: "hello", Payload: bytes.Repeat([]byte("x"), 100)}
			for {
				index := atomic.AddInt64(&next, 1)
				if index >= int64(count) || failure.Load() != nil {
					return
				}
				begin, answer := time.Now(), EchoMessage{}
				err := say(request, &answer)
				durations[index] = time.Since(begin)
				if err == nil && (answer.Text != "hello" || len(answer.Payload) != 100) {
					err = fmt.Errorf("the answer is not the request")
				}
				if err != nil {
					failure.Store(fmt.Errorf("Say: %v", err))
					return
				}
			}
		}()
	}
	lanes.Wait()
	err, _ := failure.Load().(error)
	return durations, err
}

// The processor time of all threads of this process.
func processorTime() time.Duration {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

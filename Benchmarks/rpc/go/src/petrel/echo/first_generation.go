// SPDX-License-Identifier: Apache-2.0

//go:build !protobuf2

package echo

import "github.com/golang/protobuf/proto"

// Coded is the message in the form that ttrpc takes.
func Coded(message proto.Message) interface{} { return message }

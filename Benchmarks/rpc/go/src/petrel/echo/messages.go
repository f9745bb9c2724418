// SPDX-License-Identifier: Apache-2.0

// Package echo is what the programs in Go have in common: messages, the command line, and how calls are measured.
package echo

import "github.com/golang/protobuf/proto"

// The messages of echo.proto, in the form that both generations of the Go libraries for Protocol Buffers understand,
// and with the methods that protoc-gen-go 1.3 generates: they keep the table of fields that the library makes.

type EchoMessage struct {
	Text    string `protobuf:"bytes,1,opt,name=text,proto3"`
	Payload []byte `protobuf:"bytes,2,opt,name=payload,proto3"`
	Count   int32  `protobuf:"varint,3,opt,name=count,proto3"`
}

var echoMessage proto.InternalMessageInfo

func (m *EchoMessage) Reset()         { *m = EchoMessage{} }
func (m *EchoMessage) String() string { return proto.CompactTextString(m) }
func (*EchoMessage) ProtoMessage()    {}

func (m *EchoMessage) XXX_Unmarshal(b []byte) error { return echoMessage.Unmarshal(m, b) }
func (m *EchoMessage) XXX_Marshal(b []byte, deterministic bool) ([]byte, error) {
	return echoMessage.Marshal(b, m, deterministic)
}
func (m *EchoMessage) XXX_Size() int { return echoMessage.Size(m) }

type FlowRequest struct {
	Bytes      uint64 `protobuf:"varint,1,opt,name=bytes,proto3"`
	ChunkBytes uint32 `protobuf:"varint,2,opt,name=chunk_bytes,json=chunkBytes,proto3"`
}

var flowRequest proto.InternalMessageInfo

func (m *FlowRequest) Reset()         { *m = FlowRequest{} }
func (m *FlowRequest) String() string { return proto.CompactTextString(m) }
func (*FlowRequest) ProtoMessage()    {}

func (m *FlowRequest) XXX_Unmarshal(b []byte) error { return flowRequest.Unmarshal(m, b) }
func (m *FlowRequest) XXX_Marshal(b []byte, deterministic bool) ([]byte, error) {
	return flowRequest.Marshal(b, m, deterministic)
}
func (m *FlowRequest) XXX_Size() int { return flowRequest.Size(m) }

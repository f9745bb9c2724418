// SPDX-License-Identifier: Apache-2.0
internal import NIOCore
internal import System

/// Lets a listening socket rest while no connection can be accepted, for want of descriptors or memory: it is
/// ready to be read all that time, and would keep the event loop busy. Used on its event loop.
///
/// NIO's own handler for this does not stop a read that is already asked for, which each first failure is.
final class AcceptPause: ChannelInboundHandler {
    typealias InboundIn = any NIOCore.Channel

    /// How long it rests before it is tried again.
    private static let length = TimeAmount.milliseconds(100)

    /// A failure that ends the socket is followed by its end; then there is nothing to switch on again.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A client that is gone before it is accepted is no reason to keep the others waiting.
        guard let error = error as? IOError, error.errnoCode != ErrorNumber.connectionAborted else { return }
        let channel = context.channel
        try? channel.syncOptions?.setOption(ChannelOptions.autoRead, value: false)
        context.eventLoop.scheduleTask(in: Self.length) {
            guard channel.isActive else { return }
            try? channel.syncOptions?.setOption(ChannelOptions.autoRead, value: true)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

extension GoogleProtobuf.`Any` {
    /// The message, with the URL that all implementations use by default.
    package init(packing message: some Message) {
        self.init(
            typeUrl: "type.googleapis.com/" + type(of: message).fullName,
            value: message.serialized()
        )
    }

    /// The message that was packed, or nil when it is of another type.
    /// - Throws: what decoding throws when it is of that type, but malformed.
    package func unpacked<Content: Message>(as type: Content.Type = Content.self) throws(MessageError)
        -> Content?
    {
        guard typeUrl.hasSuffix("/" + Content.fullName) else { return nil }
        return try Content(serialized: value)
    }
}

// SPDX-License-Identifier: Apache-2.0
internal import JSON

/// What an image says about its containers: the `config` of an OCI image configuration.
package struct ImageDefaults: Hashable, Sendable {
    package var entrypoint: [String] = []
    package var command: [String] = []
    package var environment: [String] = []
    package var workingDirectory = ""
    package var user = ""
    package var stopSignal = ""
    package var labels: [String: String] = [:]
    package var volumes: [String] = []
    package var health: ContainerSettings.Health?

    package init() {}

    /// - Throws: `.badImage` when `configuration` is not a JSON object, or a field has another type than it must.
    package init(configuration: [UInt8], image: String) throws(EngineError) {
        let document: JSON
        do { document = try JSON(parsing: configuration) } catch {
            throw .badImage(image, "its configuration is not JSON: \(error)")
        }
        guard document.object != nil else { throw .badImage(image, "its configuration is not an object") }
        guard let config = document["config"], !config.isNull else { return }
        guard config.object != nil else { throw .badImage(image, "its config is not an object") }
        let fields = Fields(config: config, image: image)
        entrypoint = try fields.strings("Entrypoint")
        command = try fields.strings("Cmd")
        environment = try fields.strings("Env")
        workingDirectory = try fields.string("WorkingDir")
        user = try fields.string("User")
        stopSignal = try fields.string("StopSignal")
        labels = try fields.map("Labels")
        volumes = config["Volumes"]?.object?.keys.sorted() ?? []
        health = try fields.health()
    }

    private struct Fields {
        let config: JSON
        let image: String

        func value(_ name: String) -> JSON? {
            guard let value = config[name], !value.isNull else { return Optional.none }
            return value
        }

        func string(_ name: String) throws(EngineError) -> String {
            guard let value = value(name) else { return "" }
            guard let text = value.string else { throw .badImage(image, "config.\(name) is not a string") }
            return text
        }

        func health() throws(EngineError) -> ContainerSettings.Health? {
            guard let value = value("Healthcheck") else { return Optional.none }
            guard value.object != nil else { throw .badImage(image, "config.Healthcheck is not an object") }
            let fields = Fields(config: value, image: image)
            func number(_ name: String) throws(EngineError) -> Int64 {
                guard let value = fields.value(name) else { return 0 }
                guard let number = value.integer else {
                    throw .badImage(image, "config.Healthcheck.\(name) is not a number")
                }
                return number
            }
            var health = ContainerSettings.Health()
            health.test = try fields.strings("Test")
            health.intervalNanos = try number("Interval")
            health.timeoutNanos = try number("Timeout")
            health.startPeriodNanos = try number("StartPeriod")
            health.startIntervalNanos = try number("StartInterval")
            health.retries = try number("Retries")
            return health
        }

        func strings(_ name: String) throws(EngineError) -> [String] {
            guard let value = value(name) else { return [] }
            let texts = value.array?.compactMap(\.string)
            guard let texts, texts.count == value.array?.count else {
                throw .badImage(image, "config.\(name) is not a list of strings")
            }
            return texts
        }

        func map(_ name: String) throws(EngineError) -> [String: String] {
            guard let value = value(name) else { return [:] }
            guard let object = value.object else { throw .badImage(image, "config.\(name) is not an object") }
            var result: [String: String] = [:]
            for (key, item) in object {
                guard let text = item.string else {
                    throw .badImage(image, "config.\(name).\(key) is not a string")
                }
                result[key] = text
            }
            return result
        }
    }
}

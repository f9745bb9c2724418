// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Messages
import Rendering

/// Options of `run` and `create`: names, and notes about the container.
struct NameOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: "Its domain name.") var domainname = ""
    @Option(parsing: .unconditionalSingleValue, help: "A line of its /etc/hosts: name:address.")
    var addHost: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "A name server, by address.") var dns: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "A domain to search names in; '.': none.")
    var dnsSearch: [String] = []
    @Option(
        name: [.customLong("dns-option"), .customLong("dns-opt")],
        parsing: .unconditionalSingleValue,
        help: "An option of resolv.conf(5), such as ndots:2."
    ) var dnsOption: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "A note for the runtime: name=value.")
    var annotation: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Read labels, name=value lines, from a file.")
    var labelFile: [String] = []
    @Option(parsing: .unconditional, help: "Platform that the image must have, such as linux/arm64.")
    var platform = ""

    func add(to config: inout EngineV1.ContainerConfig) throws(Failure) {
        config.domainname = domainname
        config.extraHosts = addHost
        config.dns = dns
        config.dnsSearch = dnsSearch
        config.dnsOptions = dnsOption
        config.annotations = try PairText.pairs(annotation, option: "--annotation", needsValue: false)
        config.platform = platform
    }
}

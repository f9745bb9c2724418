// SPDX-License-Identifier: Apache-2.0
import Messages
import Rendering

/// Options of `run` and `create`: names, and notes about the container.
extension FurtherOptions {
    func addNames(to config: inout EngineV1.ContainerConfig) throws(Failure) {
        config.domainname = domainname
        config.extraHosts = addHost
        config.dns = dns
        config.dnsSearch = dnsSearch
        config.dnsOptions = dnsOption
        config.annotations = try PairText.pairs(annotation, option: "--annotation", needsValue: false)
        config.platform = platform
    }
}

// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// The rest of the options that `run` and `create` share: what few say, and `UsualWords` does not read.
struct FurtherOptions: ParsableArguments {
    // What is mounted, and how output is kept.

    @Option(
        parsing: .unconditionalSingleValue,
        help: "type=bind,source=/here,target=/there[,readonly], or type=tmpfs,target=/there[,tmpfs-size=64m]."
    ) var mount: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Mount a tmpfs: /there[:size=64m,mode=1777,exec].")
    var tmpfs: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Mount what another container has: NAME[:ro].")
    var volumesFrom: [String] = []
    @Option(parsing: .unconditional, help: "How output is kept: local, json-file or none.") var logDriver = ""
    @Option(
        parsing: .unconditionalSingleValue,
        help: "max-size=10m, max-file=3, mode=non-blocking, max-buffer-size=4m, labels=A,B, env=A,B."
    ) var logOpt: [String] = []

    // How much of the machine it may use.

    @Option(parsing: .unconditional, help: "Most memory and swap together; -1: no limit.")
    var memorySwap: String?
    @Option(parsing: .unconditional, help: "Memory that it keeps when there is little, such as 256m.")
    var memoryReservation: String?
    @Option(parsing: .unconditional, help: "How readily its memory is swapped out: 0 to 100.")
    var memorySwappiness: Int64?
    @Flag(help: "Never kill it when its memory is used up.") var oomKillDisable = false
    @Option(parsing: .unconditional, help: "Kill it sooner (up to 1000) or later (down to -1000).")
    var oomScoreAdj: Int64?
    @Option(
        name: [.customShort("c", allowingJoined: true), .long],
        parsing: .unconditional,
        help: "Share of the processors when they are busy: 2 to 262144 (default 1024)."
    ) var cpuShares: Int64?
    @Option(parsing: .unconditional, help: "Length of a period, in microseconds.") var cpuPeriod: Int64?
    @Option(parsing: .unconditional, help: "Processor time in each period, in microseconds.")
    var cpuQuota: Int64?
    @Option(parsing: .unconditional, help: "Processors to run on: 0-2,5.") var cpusetCpus = ""
    @Option(parsing: .unconditional, help: "Memory nodes to use: 0,1.") var cpusetMems = ""
    @Option(parsing: .unconditional, help: "Share of block IO: 10 to 1000.") var blkioWeight: Int64?
    @Option(parsing: .unconditionalSingleValue, help: "Most bytes read in a second: /dev/disk:10m.")
    var deviceReadBps: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Most bytes written in a second: /dev/disk:10m.")
    var deviceWriteBps: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Most reads in a second: /dev/disk:100.")
    var deviceReadIops: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Most writes in a second: /dev/disk:100.")
    var deviceWriteIops: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Limit of a process: nofile=1024:2048.")
    var ulimit: [String] = []
    @Option(parsing: .unconditional, help: "Size of /dev/shm (default 64m).") var shmSize: String?

    // What it shares with the machine and with others, and what it may do.

    @Option(parsing: .unconditional, help: "Process numbers: host, or container:NAME.") var pid = ""
    @Option(parsing: .unconditional, help: "none, private, shareable, host, or container:NAME.") var ipc = ""
    @Option(parsing: .unconditional, help: "Host and domain name: host.") var uts = ""
    @Option(parsing: .unconditional, help: "User numbers: host.") var userns = ""
    @Option(parsing: .unconditional, help: "View of control groups: private or host.") var cgroupns = ""
    @Option(parsing: .unconditional, help: "Control group in which its own is made.") var cgroupParent = ""
    @Option(
        parsing: .unconditionalSingleValue,
        help: "seccomp=unconfined or a file, no-new-privileges, apparmor=, label=, systempaths=unconfined."
    ) var securityOpt: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Kernel parameter of its own: net.core.somaxconn=512.")
    var sysctl: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Device of this machine: /dev/here[:/dev/there][:rwm].")
    var device: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Devices that it may use: 'c 1:3 rwm'.")
    var deviceCgroupRule: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "A group that the user is in too, by name or number.")
    var groupAdd: [String] = []
    @Flag(name: .customLong("init"), help: "Run a first process that passes signals on and reaps.")
    var hasInit = false

    // Names, and notes about it.

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

    // How to see whether it is well. What is not given is the image's.

    @Option(parsing: .unconditional, help: "Shell line that succeeds while it is well.") var healthCmd = ""
    @Option(parsing: .unconditional, help: "Time between two checks (default 30s).") var healthInterval = ""
    @Option(parsing: .unconditional, help: "Longest time of one check (default 30s).") var healthTimeout = ""
    @Option(parsing: .unconditional, help: "Failures in a row until it is unhealthy (default 3).")
    var healthRetries: Int64?
    @Option(parsing: .unconditional, help: "Time after a start in which failures do not count (default 0s).")
    var healthStartPeriod = ""
    @Option(parsing: .unconditional, help: "Time between two checks then (default 5s).")
    var healthStartInterval = ""
    @Flag(help: "Check nothing, whatever the image says.")
    var noHealthcheck = false
}

// SPDX-License-Identifier: Apache-2.0
internal import System

/// Which columns a listing of processes has, from the options of ps(1): `-ef` (the default), `-e`, `aux`, and lists with
/// `-o`.
struct ProcessColumns: Hashable, Sendable {
    struct Column: Hashable, Sendable {
        var title: String
        var key: Key
    }

    enum Key: String, Hashable, Sendable {
        case user, uid, group, gid, pid, ppid, c, stime, start, tty, time, etime, comm, args, state, stat
        case rss, vsz, nlwp, ni, pri, pcpu, pmem
    }

    let columns: [Column]

    private static let full = [
        ("UID", Key.user), ("PID", .pid), ("PPID", .ppid), ("C", .c), ("STIME", .stime), ("TTY", .tty),
        ("TIME", .time), ("CMD", .args),
    ]
    private static let brief = [("PID", Key.pid), ("TTY", .tty), ("TIME", .time), ("CMD", .comm)]
    private static let berkeley = [
        ("USER", Key.user), ("PID", .pid), ("%CPU", .pcpu), ("%MEM", .pmem), ("VSZ", .vsz), ("RSS", .rss),
        ("TTY", .tty), ("STAT", .stat), ("START", .stime), ("TIME", .time), ("COMMAND", .args),
    ]

    /// Names as ps(1) has them, with the title each gives.
    private static let names: [String: (title: String, key: Key)] = [
        "user": ("USER", .user), "uname": ("USER", .user), "euser": ("EUSER", .user), "uid": ("UID", .uid),
        "euid": ("EUID", .uid), "group": ("GROUP", .group), "gid": ("GID", .gid), "pid": ("PID", .pid),
        "tgid": ("TGID", .pid), "ppid": ("PPID", .ppid), "c": ("C", .c), "stime": ("STIME", .stime),
        "start_time": ("START", .stime), "start": ("STARTED", .start), "tty": ("TT", .tty),
        "tt": ("TT", .tty), "tname": ("TTY", .tty), "time": ("TIME", .time), "cputime": ("TIME", .time),
        "etime": ("ELAPSED", .etime), "comm": ("COMMAND", .comm), "ucmd": ("CMD", .comm),
        "ucomm": ("COMMAND", .comm), "args": ("COMMAND", .args), "cmd": ("CMD", .args),
        "command": ("COMMAND", .args), "s": ("S", .state), "state": ("S", .state), "stat": ("STAT", .stat),
        "rss": ("RSS", .rss), "rssize": ("RSS", .rss), "vsz": ("VSZ", .vsz), "vsize": ("VSZ", .vsz),
        "nlwp": ("NLWP", .nlwp), "thcount": ("THCNT", .nlwp), "ni": ("NI", .ni), "nice": ("NI", .ni),
        "pri": ("PRI", .pri), "pcpu": ("%CPU", .pcpu), "%cpu": ("%CPU", .pcpu), "pmem": ("%MEM", .pmem),
        "%mem": ("%MEM", .pmem),
    ]

    /// - Throws: `.invalidField` for what is none of these.
    init(_ arguments: [String]) throws(EngineError) {
        // All in one text, as the Docker API gives them; or word by word.
        let words = arguments.count == 1 ? arguments[0].split(separator: " ").map(String.init) : arguments
        var lists: [String] = []
        var style = "-ef"
        var rest = words[...]
        while let word = rest.popFirst() {
            if ["-o", "-eo", "o", "--format"].contains(word) {
                guard let list = rest.popFirst() else { throw Self.refusal(arguments) }
                lists.append(list)
            } else if let prefix = ["--format=", "-eo", "-o"].first(where: { word.hasPrefix($0) }) {
                lists.append(String(word.dropFirst(prefix.count)))
            } else if ["-ef", "-e", "-A", "-f", "ef", "aux", "-aux", "ax", "au"].contains(word) {
                style = word
            } else {
                throw Self.refusal(arguments)
            }
        }
        if lists.isEmpty {
            let known: [(String, Key)] =
                switch style {
                case "aux", "-aux", "au": Self.berkeley
                case "-e", "-A", "ax": Self.brief
                default: Self.full
                }
            columns = known.map { Column(title: $0.0, key: $0.1) }
        } else {
            columns = try Self.parse(lists, arguments)
        }
    }

    private static func parse(_ lists: [String], _ arguments: [String]) throws(EngineError) -> [Column] {
        var columns: [Column] = []
        for list in lists {
            // A title of one's own is the rest of the list.
            let halves = list.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let parts = halves[0].split(separator: ",").map(String.init)
            for (index, name) in parts.enumerated() {
                guard let known = names[name.lowercased()] else { throw refusal(arguments) }
                let isTitled = halves.count == 2 && index == parts.count - 1
                columns.append(Column(title: isTitled ? String(halves[1]) : known.title, key: known.key))
            }
        }
        guard !columns.isEmpty else { throw refusal(arguments) }
        return columns
    }

    private static func refusal(_ arguments: [String]) -> EngineError {
        .invalidField(
            "ps options",
            "these options of ps cannot be served: \(arguments.joined(separator: " "))",
            advice: "use -ef, -e, aux, or -o with names such as pid,ppid,user,stime,time,rss,comm,args"
        )
    }
}

/// Turns facts into cells.
struct ProcessRendering: Sendable {
    static let ticksPerSecond: UInt64 = 100

    var nowBootNanos: Int64
    var nowWallNanos: Int64
    var memoryBytes: UInt64
    var users: [UInt32: String]
    var groups: [UInt32: String]

    func cell(_ key: ProcessColumns.Key, _ facts: ProcessFacts) -> String {
        switch key {
        case .user: users[facts.user] ?? String(facts.user)
        case .uid: String(facts.user)
        case .group: groups[facts.group] ?? String(facts.group)
        case .gid: String(facts.group)
        case .pid: String(facts.pid)
        case .ppid: String(facts.parent)
        case .c: String(UInt64(min(99, busyShare(facts))))
        case .stime: startedText(facts, isLong: false)
        case .start: startedText(facts, isLong: true)
        case .tty: facts.terminalName
        case .time: Self.clock(facts.busyTicks / Self.ticksPerSecond)
        case .etime: Self.elapsed(UInt64(max(0, ageNanos(facts) / 1_000_000_000)))
        case .comm: facts.name
        case .args: facts.command
        case .state: facts.state
        case .stat: facts.state + (facts.nice < 0 ? "<" : facts.nice > 0 ? "N" : "")
        case .rss: String(facts.residentBytes / 1024)
        case .vsz: String(facts.virtualBytes / 1024)
        case .nlwp: String(facts.threads)
        case .ni: String(facts.nice)
        case .pri: String(39 - facts.priority)
        case .pcpu: Self.tenths(busyShare(facts))
        case .pmem: Self.tenths(Double(facts.residentBytes) * 100 / Double(max(1, memoryBytes)))
        }
    }

    /// Of one processor's time since it started, in percent.
    private func busyShare(_ facts: ProcessFacts) -> Double {
        let age = Double(ageNanos(facts)) / 1e9
        guard age > 0 else { return 0 }
        return Double(facts.busyTicks) / Double(Self.ticksPerSecond) / age * 100
    }

    private func ageNanos(_ facts: ProcessFacts) -> Int64 {
        nowBootNanos - Int64(clamping: facts.startTicks) * Int64(1_000_000_000 / Self.ticksPerSecond)
    }

    /// The time of the day, or for one that started a day ago or earlier the date; in UTC.
    private func startedText(_ facts: ProcessFacts, isLong: Bool) -> String {
        let age = ageNanos(facts)
        let parts = Timestamp(unixNanos: nowWallNanos - age).parts()
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        guard age < 86_400_000_000_000 else {
            return (months[Int(parts.month) - 1]) + Self.two(UInt64(parts.day))
        }
        let text = "\(Self.two(UInt64(parts.hour))):\(Self.two(UInt64(parts.minute)))"
        return isLong ? text + ":" + Self.two(UInt64(parts.second)) : text
    }

    static func clock(_ seconds: UInt64) -> String {
        "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }

    /// `[[DD-]hh:]mm:ss`.
    static func elapsed(_ seconds: UInt64) -> String {
        let tail = "\(two(seconds / 60 % 60)):\(two(seconds % 60))"
        if seconds >= 86_400 { return "\(two(seconds / 86_400))-\(two(seconds / 3600 % 24)):\(tail)" }
        return seconds >= 3600 ? "\(two(seconds / 3600)):\(tail)" : tail
    }

    private static func two(_ number: UInt64) -> String { number < 10 ? "0\(number)" : String(number) }

    private static func tenths(_ value: Double) -> String {
        let tenths = UInt64(max(0, value) * 10)
        return "\(tenths / 10).\(tenths % 10)"
    }
}

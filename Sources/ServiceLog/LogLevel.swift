public import Logging
import Synchronization

/// The level of the whole log. It can change while the process runs.
public enum LogLevel {
    private static let index = Atomic(Logger.Level.info.index)

    public static var current: Logger.Level {
        get { Logger.Level.allCases[index.load(ordering: .relaxed)] }
        set { index.store(newValue.index, ordering: .relaxed) }
    }
}

extension Logger.Level {
    fileprivate var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

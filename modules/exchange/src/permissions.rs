//! The rights over the exchange's things. Which role carries which is written in the kernel's roles.

use kernel::Permission;

/// Sees members, systems, services, agreements and the metadata of calls: of the whole province, or those in
/// which the reader's own agencies are provider or consumer.
pub const READ: Permission = Permission {
    name: "exchange.read",
    vi: "Xem thành viên, hệ thống, dịch vụ, chấp thuận và nhật ký kết nối",
    en: "See members, systems, services, agreements and the log of calls",
};

/// Decides agreements on behalf of the agency that provides the service.
pub const DECIDE: Permission = Permission {
    name: "exchange.agreement.decide",
    vi: "Quyết định chấp thuận khai thác dữ liệu của đơn vị cung cấp",
    en: "Decide agreements on behalf of the provider",
};

/// Asks for connections on behalf of the agency whose systems would call.
pub const ASK: Permission = Permission {
    name: "exchange.connection.ask",
    vi: "Lập và gửi đề nghị kết nối cho hệ thống của đơn vị",
    en: "Ask for connections of the agency's own systems",
};

/// Changes the registry by the declarative file, keeps technical contacts, tells consumers of interruptions.
pub const OPERATE: Permission = Permission {
    name: "exchange.operate",
    vi: "Nhập cấu hình kết nối từ tệp khai báo, giữ đầu mối kỹ thuật, báo gián đoạn cho các bên khai thác",
    en: "Import the registry from its declarative file, keep technical contacts, tell consumers of interruptions",
};

/// Sees the personal fields of a call (who asked, path, parameters). Each look is recorded.
pub const DISCLOSE: Permission = Permission {
    name: "exchange.call.disclose",
    vi: "Xem thông tin cá nhân trong lời gọi (mỗi lần xem được ghi lại)",
    en: "See the personal fields of a call (each look is recorded)",
};

/// Connects systems of an agency: their credentials, try-out calls, their own calls with reasons. A grant limited to
/// a field of work reaches only the system whose code that field is.
pub const INTEGRATE: Permission = Permission {
    name: "exchange.integrate",
    vi: "Tích hợp hệ thống: tự quản lý thông tin kết nối, gọi thử, xem lời gọi của hệ thống mình",
    en: "Integrate systems: own credentials, try-out calls, the system's own calls",
};

/// Runs an examination of the connection to a provider's service, which connects to it once.
pub const EXAMINE: Permission = Permission {
    name: "exchange.connection.examine",
    vi: "Kiểm tra kết nối từ trục tới dịch vụ của bên cung cấp",
    en: "Examine the connection from the exchange to a provider's service",
};

/// All of them.
pub const ALL: &[Permission] = &[READ, DECIDE, ASK, OPERATE, DISCLOSE, INTEGRATE, EXAMINE];

//! Identifiers of the exchange's things. Codes, which people and programs write, live in `code`.

use base::id_type;
use kernel::id_value;

id_type!(
    /// A member (cơ quan, đơn vị kết nối).
    MemberId,
    "exchange.member"
);
id_type!(
    /// A subsystem (hệ thống thông tin) of a member.
    SubsystemId,
    "exchange.subsystem"
);
id_type!(
    /// A service that a subsystem provides.
    ServiceId,
    "exchange.service"
);
id_type!(
    /// An endpoint (method and path pattern) of a service.
    EndpointId,
    "exchange.endpoint"
);
id_type!(
    /// An agreement (chấp thuận khai thác dữ liệu).
    AgreementId,
    "exchange.agreement"
);
id_type!(
    /// A conformance run.
    ConformanceId,
    "exchange.conformance"
);
id_type!(
    /// An examination of the way to a service.
    DiagnosisId,
    "exchange.diagnosis"
);

id_type!(
    /// A file of a request for a connection.
    AttachmentId,
    "exchange.attachment"
);

id_type!(
    /// A new service that was handed in.
    ProposalId,
    "exchange.proposal"
);

id_type!(
    /// What a provider announced of a service.
    AnnouncementId,
    "exchange.announcement"
);

id_value!(
    ProposalId,
    AnnouncementId,
    MemberId,
    SubsystemId,
    ServiceId,
    EndpointId,
    AgreementId,
    AttachmentId,
    ConformanceId,
    DiagnosisId
);

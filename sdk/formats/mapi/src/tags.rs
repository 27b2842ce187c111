//! The property tags that Waxwing uses (MS-OXPROPS), by their canonical names without `PidTag`.
//!
//! Text properties are the Unicode form (type 0x001F).

use crate::PropertyTag;

/// PidTagAutoForwarded, boolean.
pub const AUTO_FORWARDED: PropertyTag = PropertyTag(0x0005_000B);
/// PidTagDeferredDeliveryTime, time.
pub const DEFERRED_DELIVERY_TIME: PropertyTag = PropertyTag(0x000F_0040);
/// PidTagExpiryTime, time.
pub const EXPIRY_TIME: PropertyTag = PropertyTag(0x0015_0040);
/// PidTagImportance, integer32.
pub const IMPORTANCE: PropertyTag = PropertyTag(0x0017_0003);
/// PidTagMessageClass, string.
pub const MESSAGE_CLASS: PropertyTag = PropertyTag(0x001A_001F);
/// PidTagOriginatorDeliveryReportRequested, boolean.
pub const ORIGINATOR_DELIVERY_REPORT_REQUESTED: PropertyTag = PropertyTag(0x0023_000B);
/// PidTagPriority, integer32.
pub const PRIORITY: PropertyTag = PropertyTag(0x0026_0003);
/// PidTagReadReceiptRequested, boolean.
pub const READ_RECEIPT_REQUESTED: PropertyTag = PropertyTag(0x0029_000B);
/// PidTagOriginalSensitivity, integer32.
pub const ORIGINAL_SENSITIVITY: PropertyTag = PropertyTag(0x002E_0003);
/// PidTagReplyTime, time.
pub const REPLY_TIME: PropertyTag = PropertyTag(0x0030_0040);
/// PidTagReportTime, time.
pub const REPORT_TIME: PropertyTag = PropertyTag(0x0032_0040);
/// PidTagSensitivity, integer32.
pub const SENSITIVITY: PropertyTag = PropertyTag(0x0036_0003);
/// PidTagSubject, string.
pub const SUBJECT: PropertyTag = PropertyTag(0x0037_001F);
/// PidTagClientSubmitTime, time.
pub const CLIENT_SUBMIT_TIME: PropertyTag = PropertyTag(0x0039_0040);
/// PidTagReportName, string.
pub const REPORT_NAME: PropertyTag = PropertyTag(0x003A_001F);
/// PidTagSentRepresentingSearchKey, binary.
pub const SENT_REPRESENTING_SEARCH_KEY: PropertyTag = PropertyTag(0x003B_0102);
/// PidTagSubjectPrefix, string.
pub const SUBJECT_PREFIX: PropertyTag = PropertyTag(0x003D_001F);
/// PidTagReceivedByName, string.
pub const RECEIVED_BY_NAME: PropertyTag = PropertyTag(0x0040_001F);
/// PidTagSentRepresentingEntryId, binary.
pub const SENT_REPRESENTING_ENTRY_ID: PropertyTag = PropertyTag(0x0041_0102);
/// PidTagSentRepresentingName, string.
pub const SENT_REPRESENTING_NAME: PropertyTag = PropertyTag(0x0042_001F);
/// PidTagReceivedRepresentingName, string.
pub const RECEIVED_REPRESENTING_NAME: PropertyTag = PropertyTag(0x0044_001F);
/// PidTagOriginalSubject, string.
pub const ORIGINAL_SUBJECT: PropertyTag = PropertyTag(0x0049_001F);
/// PidTagOriginalMessageClass, string.
pub const ORIGINAL_MESSAGE_CLASS: PropertyTag = PropertyTag(0x004B_001F);
/// PidTagOriginalAuthorName, string.
pub const ORIGINAL_AUTHOR_NAME: PropertyTag = PropertyTag(0x004D_001F);
/// PidTagReplyRecipientEntries, binary.
pub const REPLY_RECIPIENT_ENTRIES: PropertyTag = PropertyTag(0x004F_0102);
/// PidTagReplyRecipientNames, string.
pub const REPLY_RECIPIENT_NAMES: PropertyTag = PropertyTag(0x0050_001F);
/// PidTagOriginalDeliveryTime, time.
pub const ORIGINAL_DELIVERY_TIME: PropertyTag = PropertyTag(0x0055_0040);
/// PidTagOriginalSenderName, string.
pub const ORIGINAL_SENDER_NAME: PropertyTag = PropertyTag(0x005A_001F);
/// PidTagStartDate, time.
pub const START_DATE: PropertyTag = PropertyTag(0x0060_0040);
/// PidTagEndDate, time.
pub const END_DATE: PropertyTag = PropertyTag(0x0061_0040);
/// PidTagOwnerAppointmentId, integer32.
pub const OWNER_APPOINTMENT_ID: PropertyTag = PropertyTag(0x0062_0003);
/// PidTagSentRepresentingAddressType, string.
pub const SENT_REPRESENTING_ADDRESS_TYPE: PropertyTag = PropertyTag(0x0064_001F);
/// PidTagSentRepresentingEmailAddress, string.
pub const SENT_REPRESENTING_EMAIL_ADDRESS: PropertyTag = PropertyTag(0x0065_001F);
/// PidTagConversationTopic, string.
pub const CONVERSATION_TOPIC: PropertyTag = PropertyTag(0x0070_001F);
/// PidTagConversationIndex, binary.
pub const CONVERSATION_INDEX: PropertyTag = PropertyTag(0x0071_0102);
/// PidTagReceivedByAddressType, string.
pub const RECEIVED_BY_ADDRESS_TYPE: PropertyTag = PropertyTag(0x0075_001F);
/// PidTagReceivedByEmailAddress, string.
pub const RECEIVED_BY_EMAIL_ADDRESS: PropertyTag = PropertyTag(0x0076_001F);
/// PidTagReceivedRepresentingAddressType, string.
pub const RECEIVED_REPRESENTING_ADDRESS_TYPE: PropertyTag = PropertyTag(0x0077_001F);
/// PidTagReceivedRepresentingEmailAddress, string.
pub const RECEIVED_REPRESENTING_EMAIL_ADDRESS: PropertyTag = PropertyTag(0x0078_001F);
/// PidTagTransportMessageHeaders, string.
pub const TRANSPORT_MESSAGE_HEADERS: PropertyTag = PropertyTag(0x007D_001F);
/// PidTagNonDeliveryReportReasonCode, integer32.
pub const NON_DELIVERY_REPORT_REASON_CODE: PropertyTag = PropertyTag(0x0C04_0003);
/// PidTagNonDeliveryReportDiagCode, integer32.
pub const NON_DELIVERY_REPORT_DIAG_CODE: PropertyTag = PropertyTag(0x0C05_0003);
/// PidTagRecipientType, integer32.
pub const RECIPIENT_TYPE: PropertyTag = PropertyTag(0x0C15_0003);
/// PidTagSenderEntryId, binary.
pub const SENDER_ENTRY_ID: PropertyTag = PropertyTag(0x0C19_0102);
/// PidTagSenderName, string.
pub const SENDER_NAME: PropertyTag = PropertyTag(0x0C1A_001F);
/// PidTagSupplementaryInfo, string.
pub const SUPPLEMENTARY_INFO: PropertyTag = PropertyTag(0x0C1B_001F);
/// PidTagSenderSearchKey, binary.
pub const SENDER_SEARCH_KEY: PropertyTag = PropertyTag(0x0C1D_0102);
/// PidTagSenderAddressType, string.
pub const SENDER_ADDRESS_TYPE: PropertyTag = PropertyTag(0x0C1E_001F);
/// PidTagSenderEmailAddress, string.
pub const SENDER_EMAIL_ADDRESS: PropertyTag = PropertyTag(0x0C1F_001F);
/// PidTagNonDeliveryReportStatusCode, integer32.
pub const NON_DELIVERY_REPORT_STATUS_CODE: PropertyTag = PropertyTag(0x0C20_0003);
/// PidTagRemoteMessageTransferAgent, string.
pub const REMOTE_MESSAGE_TRANSFER_AGENT: PropertyTag = PropertyTag(0x0C21_001F);
/// PidTagDisplayBcc, string.
pub const DISPLAY_BCC: PropertyTag = PropertyTag(0x0E02_001F);
/// PidTagDisplayCc, string.
pub const DISPLAY_CC: PropertyTag = PropertyTag(0x0E03_001F);
/// PidTagDisplayTo, string.
pub const DISPLAY_TO: PropertyTag = PropertyTag(0x0E04_001F);
/// PidTagMessageDeliveryTime, time.
pub const MESSAGE_DELIVERY_TIME: PropertyTag = PropertyTag(0x0E06_0040);
/// PidTagMessageFlags, integer32.
pub const MESSAGE_FLAGS: PropertyTag = PropertyTag(0x0E07_0003);
/// PidTagMessageSize, integer32.
pub const MESSAGE_SIZE: PropertyTag = PropertyTag(0x0E08_0003);
/// PidTagParentEntryId, binary.
pub const PARENT_ENTRY_ID: PropertyTag = PropertyTag(0x0E09_0102);
/// PidTagResponsibility, boolean.
pub const RESPONSIBILITY: PropertyTag = PropertyTag(0x0E0F_000B);
/// PidTagMessageRecipients, object.
pub const MESSAGE_RECIPIENTS: PropertyTag = PropertyTag(0x0E12_000D);
/// PidTagMessageAttachments, object.
pub const MESSAGE_ATTACHMENTS: PropertyTag = PropertyTag(0x0E13_000D);
/// PidTagSubmitFlags, integer32.
pub const SUBMIT_FLAGS: PropertyTag = PropertyTag(0x0E14_0003);
/// PidTagMessageStatus, integer32.
pub const MESSAGE_STATUS: PropertyTag = PropertyTag(0x0E17_0003);
/// PidTagHasAttachments, boolean.
pub const HAS_ATTACHMENTS: PropertyTag = PropertyTag(0x0E1B_000B);
/// PidTagNormalizedSubject, string.
pub const NORMALIZED_SUBJECT: PropertyTag = PropertyTag(0x0E1D_001F);
/// PidTagRtfInSync, boolean.
pub const RTF_IN_SYNC: PropertyTag = PropertyTag(0x0E1F_000B);
/// PidTagAttachSize, integer32.
pub const ATTACH_SIZE: PropertyTag = PropertyTag(0x0E20_0003);
/// PidTagAttachNumber, integer32.
pub const ATTACH_NUMBER: PropertyTag = PropertyTag(0x0E21_0003);
/// PidTagInternetArticleNumber, integer32.
pub const INTERNET_ARTICLE_NUMBER: PropertyTag = PropertyTag(0x0E23_0003);
/// PidTagRead, boolean.
pub const READ: PropertyTag = PropertyTag(0x0E69_000B);
/// PidTagAccess, integer32.
pub const ACCESS: PropertyTag = PropertyTag(0x0FF4_0003);
/// PidTagRowType, integer32.
pub const ROW_TYPE: PropertyTag = PropertyTag(0x0FF5_0003);
/// PidTagAccessLevel, integer32.
pub const ACCESS_LEVEL: PropertyTag = PropertyTag(0x0FF7_0003);
/// PidTagRecordKey, binary.
pub const RECORD_KEY: PropertyTag = PropertyTag(0x0FF9_0102);
/// PidTagObjectType, integer32.
pub const OBJECT_TYPE: PropertyTag = PropertyTag(0x0FFE_0003);
/// PidTagEntryId, binary.
pub const ENTRY_ID: PropertyTag = PropertyTag(0x0FFF_0102);
/// PidTagBody, string.
pub const BODY: PropertyTag = PropertyTag(0x1000_001F);
/// PidTagReportText, string.
pub const REPORT_TEXT: PropertyTag = PropertyTag(0x1001_001F);
/// PidTagRtfCompressed, binary.
pub const RTF_COMPRESSED: PropertyTag = PropertyTag(0x1009_0102);
/// PidTagBodyHtml, string.
pub const BODY_HTML: PropertyTag = PropertyTag(0x1013_001F);
/// PidTagHtml, binary.
pub const HTML: PropertyTag = PropertyTag(0x1013_0102);
/// PidTagBodyContentLocation, string.
pub const BODY_CONTENT_LOCATION: PropertyTag = PropertyTag(0x1014_001F);
/// PidTagBodyContentId, string.
pub const BODY_CONTENT_ID: PropertyTag = PropertyTag(0x1015_001F);
/// PidTagNativeBody, integer32.
pub const NATIVE_BODY: PropertyTag = PropertyTag(0x1016_0003);
/// PidTagInternetMessageId, string.
pub const INTERNET_MESSAGE_ID: PropertyTag = PropertyTag(0x1035_001F);
/// PidTagInternetReferences, string.
pub const INTERNET_REFERENCES: PropertyTag = PropertyTag(0x1039_001F);
/// PidTagInReplyToId, string.
pub const IN_REPLY_TO_ID: PropertyTag = PropertyTag(0x1042_001F);
/// PidTagListHelp, string.
pub const LIST_HELP: PropertyTag = PropertyTag(0x1043_001F);
/// PidTagListSubscribe, string.
pub const LIST_SUBSCRIBE: PropertyTag = PropertyTag(0x1044_001F);
/// PidTagListUnsubscribe, string.
pub const LIST_UNSUBSCRIBE: PropertyTag = PropertyTag(0x1045_001F);
/// PidTagOriginalMessageId, string.
pub const ORIGINAL_MESSAGE_ID: PropertyTag = PropertyTag(0x1046_001F);
/// PidTagIconIndex, integer32.
pub const ICON_INDEX: PropertyTag = PropertyTag(0x1080_0003);
/// PidTagLastVerbExecuted, integer32.
pub const LAST_VERB_EXECUTED: PropertyTag = PropertyTag(0x1081_0003);
/// PidTagLastVerbExecutionTime, time.
pub const LAST_VERB_EXECUTION_TIME: PropertyTag = PropertyTag(0x1082_0040);
/// PidTagFlagStatus, integer32.
pub const FLAG_STATUS: PropertyTag = PropertyTag(0x1090_0003);
/// PidTagFlagCompleteTime, time.
pub const FLAG_COMPLETE_TIME: PropertyTag = PropertyTag(0x1091_0040);
/// PidTagFollowupIcon, integer32.
pub const FOLLOWUP_ICON: PropertyTag = PropertyTag(0x1095_0003);
/// PidTagAttributeHidden, boolean.
pub const ATTRIBUTE_HIDDEN: PropertyTag = PropertyTag(0x10F4_000B);
/// PidTagRowid, integer32.
pub const ROWID: PropertyTag = PropertyTag(0x3000_0003);
/// PidTagDisplayName, string.
pub const DISPLAY_NAME: PropertyTag = PropertyTag(0x3001_001F);
/// PidTagAddressType, string.
pub const ADDRESS_TYPE: PropertyTag = PropertyTag(0x3002_001F);
/// PidTagEmailAddress, string.
pub const EMAIL_ADDRESS: PropertyTag = PropertyTag(0x3003_001F);
/// PidTagComment, string.
pub const COMMENT: PropertyTag = PropertyTag(0x3004_001F);
/// PidTagDepth, integer32.
pub const DEPTH: PropertyTag = PropertyTag(0x3005_0003);
/// PidTagCreationTime, time.
pub const CREATION_TIME: PropertyTag = PropertyTag(0x3007_0040);
/// PidTagLastModificationTime, time.
pub const LAST_MODIFICATION_TIME: PropertyTag = PropertyTag(0x3008_0040);
/// PidTagResourceFlags, integer32.
pub const RESOURCE_FLAGS: PropertyTag = PropertyTag(0x3009_0003);
/// PidTagSearchKey, binary.
pub const SEARCH_KEY: PropertyTag = PropertyTag(0x300B_0102);
/// PidTagConversationId, binary.
pub const CONVERSATION_ID: PropertyTag = PropertyTag(0x3013_0102);
/// PidTagIpmSubtreeEntryId, binary.
pub const IPM_SUBTREE_ENTRY_ID: PropertyTag = PropertyTag(0x35E0_0102);
/// PidTagFolderType, integer32.
pub const FOLDER_TYPE: PropertyTag = PropertyTag(0x3601_0003);
/// PidTagContentCount, integer32.
pub const CONTENT_COUNT: PropertyTag = PropertyTag(0x3602_0003);
/// PidTagContentUnreadCount, integer32.
pub const CONTENT_UNREAD_COUNT: PropertyTag = PropertyTag(0x3603_0003);
/// PidTagSubfolders, boolean.
pub const SUBFOLDERS: PropertyTag = PropertyTag(0x360A_000B);
/// PidTagContainerClass, string.
pub const CONTAINER_CLASS: PropertyTag = PropertyTag(0x3613_001F);
/// PidTagAssociatedContentCount, integer32.
pub const ASSOCIATED_CONTENT_COUNT: PropertyTag = PropertyTag(0x3617_0003);
/// PidTagDefaultPostMessageClass, string.
pub const DEFAULT_POST_MESSAGE_CLASS: PropertyTag = PropertyTag(0x36E5_001F);
/// PidTagAttachDataObject, object.
pub const ATTACH_DATA_OBJECT: PropertyTag = PropertyTag(0x3701_000D);
/// PidTagAttachDataBinary, binary.
pub const ATTACH_DATA_BINARY: PropertyTag = PropertyTag(0x3701_0102);
/// PidTagAttachEncoding, binary.
pub const ATTACH_ENCODING: PropertyTag = PropertyTag(0x3702_0102);
/// PidTagAttachExtension, string.
pub const ATTACH_EXTENSION: PropertyTag = PropertyTag(0x3703_001F);
/// PidTagAttachFilename, string.
pub const ATTACH_FILENAME: PropertyTag = PropertyTag(0x3704_001F);
/// PidTagAttachMethod, integer32.
pub const ATTACH_METHOD: PropertyTag = PropertyTag(0x3705_0003);
/// PidTagAttachLongFilename, string.
pub const ATTACH_LONG_FILENAME: PropertyTag = PropertyTag(0x3707_001F);
/// PidTagAttachPathname, string.
pub const ATTACH_PATHNAME: PropertyTag = PropertyTag(0x3708_001F);
/// PidTagRenderingPosition, integer32.
pub const RENDERING_POSITION: PropertyTag = PropertyTag(0x370B_0003);
/// PidTagAttachLongPathname, string.
pub const ATTACH_LONG_PATHNAME: PropertyTag = PropertyTag(0x370D_001F);
/// PidTagAttachMimeTag, string.
pub const ATTACH_MIME_TAG: PropertyTag = PropertyTag(0x370E_001F);
/// PidTagAttachContentBase, string.
pub const ATTACH_CONTENT_BASE: PropertyTag = PropertyTag(0x3711_001F);
/// PidTagAttachContentId, string.
pub const ATTACH_CONTENT_ID: PropertyTag = PropertyTag(0x3712_001F);
/// PidTagAttachContentLocation, string.
pub const ATTACH_CONTENT_LOCATION: PropertyTag = PropertyTag(0x3713_001F);
/// PidTagAttachFlags, integer32.
pub const ATTACH_FLAGS: PropertyTag = PropertyTag(0x3714_0003);
/// PidTagTextAttachmentCharset, string.
pub const TEXT_ATTACHMENT_CHARSET: PropertyTag = PropertyTag(0x371B_001F);
/// PidTagDisplayType, integer32.
pub const DISPLAY_TYPE: PropertyTag = PropertyTag(0x3900_0003);
/// PidTagSmtpAddress, string.
pub const SMTP_ADDRESS: PropertyTag = PropertyTag(0x39FE_001F);
/// PidTagTransmittableDisplayName, string.
pub const TRANSMITTABLE_DISPLAY_NAME: PropertyTag = PropertyTag(0x3A20_001F);
/// PidTagSendRichInfo, boolean.
pub const SEND_RICH_INFO: PropertyTag = PropertyTag(0x3A40_000B);
/// PidTagGeneration, string.
pub const GENERATION: PropertyTag = PropertyTag(0x3A05_001F);
/// PidTagGivenName, string.
pub const GIVEN_NAME: PropertyTag = PropertyTag(0x3A06_001F);
/// PidTagBusinessTelephoneNumber, string.
pub const BUSINESS_TELEPHONE_NUMBER: PropertyTag = PropertyTag(0x3A08_001F);
/// PidTagHomeTelephoneNumber, string.
pub const HOME_TELEPHONE_NUMBER: PropertyTag = PropertyTag(0x3A09_001F);
/// PidTagSurname, string.
pub const SURNAME: PropertyTag = PropertyTag(0x3A11_001F);
/// PidTagCompanyName, string.
pub const COMPANY_NAME: PropertyTag = PropertyTag(0x3A16_001F);
/// PidTagTitle, string.
pub const TITLE: PropertyTag = PropertyTag(0x3A17_001F);
/// PidTagDepartmentName, string.
pub const DEPARTMENT_NAME: PropertyTag = PropertyTag(0x3A18_001F);
/// PidTagPrimaryTelephoneNumber, string.
pub const PRIMARY_TELEPHONE_NUMBER: PropertyTag = PropertyTag(0x3A1A_001F);
/// PidTagBusiness2TelephoneNumber, string.
pub const BUSINESS_2_TELEPHONE_NUMBER: PropertyTag = PropertyTag(0x3A1B_001F);
/// PidTagMobileTelephoneNumber, string.
pub const MOBILE_TELEPHONE_NUMBER: PropertyTag = PropertyTag(0x3A1C_001F);
/// PidTagCarTelephoneNumber, string.
pub const CAR_TELEPHONE_NUMBER: PropertyTag = PropertyTag(0x3A1E_001F);
/// PidTagOtherTelephoneNumber, string.
pub const OTHER_TELEPHONE_NUMBER: PropertyTag = PropertyTag(0x3A1F_001F);
/// PidTagPagerTelephoneNumber, string.
pub const PAGER_TELEPHONE_NUMBER: PropertyTag = PropertyTag(0x3A21_001F);
/// PidTagBusinessFaxNumber, string.
pub const BUSINESS_FAX_NUMBER: PropertyTag = PropertyTag(0x3A24_001F);
/// PidTagHomeFaxNumber, string.
pub const HOME_FAX_NUMBER: PropertyTag = PropertyTag(0x3A25_001F);
/// PidTagIsdnNumber, string.
pub const ISDN_NUMBER: PropertyTag = PropertyTag(0x3A2D_001F);
/// PidTagHome2TelephoneNumber, string.
pub const HOME_2_TELEPHONE_NUMBER: PropertyTag = PropertyTag(0x3A2F_001F);
/// PidTagAssistant, string.
pub const ASSISTANT: PropertyTag = PropertyTag(0x3A30_001F);
/// PidTagMiddleName, string.
pub const MIDDLE_NAME: PropertyTag = PropertyTag(0x3A44_001F);
/// PidTagDisplayNamePrefix, string.
pub const DISPLAY_NAME_PREFIX: PropertyTag = PropertyTag(0x3A45_001F);
/// PidTagProfession, string.
pub const PROFESSION: PropertyTag = PropertyTag(0x3A46_001F);
/// PidTagSpouseName, string.
pub const SPOUSE_NAME: PropertyTag = PropertyTag(0x3A48_001F);
/// PidTagManagerName, string.
pub const MANAGER_NAME: PropertyTag = PropertyTag(0x3A4E_001F);
/// PidTagNickname, string.
pub const NICKNAME: PropertyTag = PropertyTag(0x3A4F_001F);
/// PidTagPersonalHomePage, string.
pub const PERSONAL_HOME_PAGE: PropertyTag = PropertyTag(0x3A50_001F);
/// PidTagBusinessHomePage, string.
pub const BUSINESS_HOME_PAGE: PropertyTag = PropertyTag(0x3A51_001F);
/// PidTagHomeAddressCity, string.
pub const HOME_ADDRESS_CITY: PropertyTag = PropertyTag(0x3A59_001F);
/// PidTagHomeAddressCountry, string.
pub const HOME_ADDRESS_COUNTRY: PropertyTag = PropertyTag(0x3A5A_001F);
/// PidTagHomeAddressPostalCode, string.
pub const HOME_ADDRESS_POSTAL_CODE: PropertyTag = PropertyTag(0x3A5B_001F);
/// PidTagHomeAddressStateOrProvince, string.
pub const HOME_ADDRESS_STATE: PropertyTag = PropertyTag(0x3A5C_001F);
/// PidTagHomeAddressStreet, string.
pub const HOME_ADDRESS_STREET: PropertyTag = PropertyTag(0x3A5D_001F);
/// PidTagHomeAddressPostOfficeBox, string.
pub const HOME_ADDRESS_POST_OFFICE_BOX: PropertyTag = PropertyTag(0x3A5E_001F);
/// PidTagOtherAddressCity, string.
pub const OTHER_ADDRESS_CITY: PropertyTag = PropertyTag(0x3A5F_001F);
/// PidTagOtherAddressCountry, string.
pub const OTHER_ADDRESS_COUNTRY: PropertyTag = PropertyTag(0x3A60_001F);
/// PidTagOtherAddressPostalCode, string.
pub const OTHER_ADDRESS_POSTAL_CODE: PropertyTag = PropertyTag(0x3A61_001F);
/// PidTagOtherAddressStateOrProvince, string.
pub const OTHER_ADDRESS_STATE: PropertyTag = PropertyTag(0x3A62_001F);
/// PidTagOtherAddressStreet, string.
pub const OTHER_ADDRESS_STREET: PropertyTag = PropertyTag(0x3A63_001F);
/// PidTagOtherAddressPostOfficeBox, string.
pub const OTHER_ADDRESS_POST_OFFICE_BOX: PropertyTag = PropertyTag(0x3A64_001F);
/// PidTagWeddingAnniversary, time.
pub const WEDDING_ANNIVERSARY: PropertyTag = PropertyTag(0x3A41_0040);
/// PidTagBirthday, time.
pub const BIRTHDAY: PropertyTag = PropertyTag(0x3A42_0040);
/// PidTagInternetCodepage, integer32.
pub const INTERNET_CODEPAGE: PropertyTag = PropertyTag(0x3FDE_0003);
/// PidTagAutoResponseSuppress, integer32.
pub const AUTO_RESPONSE_SUPPRESS: PropertyTag = PropertyTag(0x3FDF_0003);
/// PidTagAccessControlListData, binary.
pub const ACCESS_CONTROL_LIST_DATA: PropertyTag = PropertyTag(0x3FE0_0102);
/// PidTagDeferredSendTime, time.
pub const DEFERRED_SEND_TIME: PropertyTag = PropertyTag(0x3FEF_0040);
/// PidTagMessageLocaleId, integer32.
pub const MESSAGE_LOCALE_ID: PropertyTag = PropertyTag(0x3FF1_0003);
/// PidTagCreatorName, string.
pub const CREATOR_NAME: PropertyTag = PropertyTag(0x3FF8_001F);
/// PidTagLastModifierName, string.
pub const LAST_MODIFIER_NAME: PropertyTag = PropertyTag(0x3FFA_001F);
/// PidTagMessageCodepage, integer32.
pub const MESSAGE_CODEPAGE: PropertyTag = PropertyTag(0x3FFD_0003);
/// PidTagContentFilterSpamConfidenceLevel, integer32.
pub const CONTENT_FILTER_SPAM_CONFIDENCE_LEVEL: PropertyTag = PropertyTag(0x4076_0003);
/// PidTagInternetMailOverrideFormat, integer32.
pub const INTERNET_MAIL_OVERRIDE_FORMAT: PropertyTag = PropertyTag(0x5902_0003);
/// PidTagMessageEditorFormat, integer32.
pub const MESSAGE_EDITOR_FORMAT: PropertyTag = PropertyTag(0x5909_0003);
/// PidTagSenderSmtpAddress, string.
pub const SENDER_SMTP_ADDRESS: PropertyTag = PropertyTag(0x5D01_001F);
/// PidTagSentRepresentingSmtpAddress, string.
pub const SENT_REPRESENTING_SMTP_ADDRESS: PropertyTag = PropertyTag(0x5D02_001F);
/// PidTagReceivedBySmtpAddress, string.
pub const RECEIVED_BY_SMTP_ADDRESS: PropertyTag = PropertyTag(0x5D07_001F);
/// PidTagRecipientOrder, integer32.
pub const RECIPIENT_ORDER: PropertyTag = PropertyTag(0x5FDF_0003);
/// PidTagRecipientDisplayName, string.
pub const RECIPIENT_DISPLAY_NAME: PropertyTag = PropertyTag(0x5FF6_001F);
/// PidTagRecipientFlags, integer32.
pub const RECIPIENT_FLAGS: PropertyTag = PropertyTag(0x5FFD_0003);
/// PidTagRecipientTrackStatus, integer32.
pub const RECIPIENT_TRACK_STATUS: PropertyTag = PropertyTag(0x5FFF_0003);
/// PidTagSourceKey, binary.
pub const SOURCE_KEY: PropertyTag = PropertyTag(0x65E0_0102);
/// PidTagParentSourceKey, binary.
pub const PARENT_SOURCE_KEY: PropertyTag = PropertyTag(0x65E1_0102);
/// PidTagChangeKey, binary.
pub const CHANGE_KEY: PropertyTag = PropertyTag(0x65E2_0102);
/// PidTagPredecessorChangeList, binary.
pub const PREDECESSOR_CHANGE_LIST: PropertyTag = PropertyTag(0x65E3_0102);
/// PidTagUserEntryId, binary.
pub const USER_ENTRY_ID: PropertyTag = PropertyTag(0x6619_0102);
/// PidTagMailboxOwnerEntryId, binary.
pub const MAILBOX_OWNER_ENTRY_ID: PropertyTag = PropertyTag(0x661B_0102);
/// PidTagMailboxOwnerName, string.
pub const MAILBOX_OWNER_NAME: PropertyTag = PropertyTag(0x661C_001F);
/// PidTagOutOfOfficeState, boolean.
pub const OUT_OF_OFFICE_STATE: PropertyTag = PropertyTag(0x661D_000B);
/// PidTagHierarchyChangeNumber, integer32.
pub const HIERARCHY_CHANGE_NUMBER: PropertyTag = PropertyTag(0x663E_0003);
/// PidTagHasNamedProperties, boolean.
pub const HAS_NAMED_PROPERTIES: PropertyTag = PropertyTag(0x664A_000B);
/// PidTagMemberId, integer64.
pub const MEMBER_ID: PropertyTag = PropertyTag(0x6671_0014);
/// PidTagMemberName, string.
pub const MEMBER_NAME: PropertyTag = PropertyTag(0x6672_001F);
/// PidTagMemberRights, integer32.
pub const MEMBER_RIGHTS: PropertyTag = PropertyTag(0x6673_0003);
/// PidTagDeletedOn, time.
pub const DELETED_ON: PropertyTag = PropertyTag(0x668F_0040);
/// PidTagLocalCommitTime, time.
pub const LOCAL_COMMIT_TIME: PropertyTag = PropertyTag(0x6709_0040);
/// PidTagLocalCommitTimeMax, time.
pub const LOCAL_COMMIT_TIME_MAX: PropertyTag = PropertyTag(0x670A_0040);
/// PidTagDeletedCountTotal, integer32.
pub const DELETED_COUNT_TOTAL: PropertyTag = PropertyTag(0x670B_0003);
/// PidTagFolderId, integer64.
pub const FOLDER_ID: PropertyTag = PropertyTag(0x6748_0014);
/// PidTagParentFolderId, integer64.
pub const PARENT_FOLDER_ID: PropertyTag = PropertyTag(0x6749_0014);
/// PidTagMid, integer64.
pub const MID: PropertyTag = PropertyTag(0x674A_0014);
/// PidTagInstID, integer64.
pub const INST_ID: PropertyTag = PropertyTag(0x674D_0014);
/// PidTagInstanceNum, integer32.
pub const INSTANCE_NUM: PropertyTag = PropertyTag(0x674E_0003);
/// PidTagChangeNumber, integer64.
pub const CHANGE_NUMBER: PropertyTag = PropertyTag(0x67A4_0014);
/// PidTagAssociated, boolean.
pub const ASSOCIATED: PropertyTag = PropertyTag(0x67AA_000B);
/// PidTagAttachmentFlags, integer32.
pub const ATTACHMENT_FLAGS: PropertyTag = PropertyTag(0x7FFD_0003);
/// PidTagAttachmentHidden, boolean.
pub const ATTACHMENT_HIDDEN: PropertyTag = PropertyTag(0x7FFE_000B);
